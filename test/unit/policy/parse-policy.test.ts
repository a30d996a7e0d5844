import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../../src/core/problem.ts';
import { readDocuments } from '../../../src/files/read-documents.ts';
import { parseDocument, type ParsedDocument } from '../../../src/policy/parse-document.ts';

function parse(yaml: string): ParsedDocument {
  const [document] = readDocuments('p.yaml', yaml);
  if (document === undefined) throw new Error('no document');
  return parseDocument(document, { serviceNamespace: 'portcullis' });
}

/** The spec's fields in flow style, on the fifth line. */
function policy(spec: string): ParsedDocument {
  return parse(
    `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: a, namespace: shop}\nspec:\n  {${spec}}\n`,
  );
}

function rule(fields: string): ParsedDocument {
  return policy(`hosts: [a.example], authentication: {providers: [{name: p}]}, rules: [{name: r, ${fields}}]`);
}

const at = 'matches: [{path: {type: PathPrefix, value: /x}}]';

function codes(parsed: ParsedDocument): string[] {
  return parsed.problems.map(({ code, field }) => `${code} ${field}`);
}

describe('a text that is not well-formed', () => {
  const head = 'apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: a, namespace: shop}\n';
  const spec = 'spec: {hosts: [a.example], rules: [{name: r, matches: [], acess: Public}]}\n';

  test('is told for that alone, and what can be read of the policy is kept', () => {
    const parsed = parse(`${head}${spec}extra: "x\n`);
    expect(codes(parsed)).toEqual(['not-yaml ']);
    expect(parsed).toMatchObject({ kind: 'refused', document: { policy: { hosts: ['a.example'] } } });
    // The control: without that mistake its structure is judged.
    expect(codes(parse(`${head}${spec}extra: x\n`)).length).toBeGreaterThan(2);
  });

  test.each(['apiVersion', 'kind', 'metadata', 'spec'])('a second %s of the document asks for the ---', (field) => {
    expect(parse(`${head}${spec}${field}: x\n`).problems.map(({ message }) => message)).toContain(
      'not well-formed YAML: Map keys must be unique (is a --- missing between two documents?)',
    );
  });

  test('a second kind further in, and a second field of another name, do not', () => {
    for (const more of ['spec2: {kind: a, kind: b}\n', 'status: {}\nstatus: {}\n'])
      expect(parse(`${head}${spec}${more}`).problems.map(({ message }) => message)).toEqual([
        'not well-formed YAML: Map keys must be unique',
      ]);
  });
});

describe('positive controls', () => {
  test.each([
    `${at}, access: Public`,
    `${at}, access: Authenticated`,
    `${at}, access: Restricted, authorization: {scopes: {anyOf: [a]}}`,
    `${at}, access: Denied`,
    `${at}, access: Denied, addresses: {deny: [10.0.0.0/8]}`,
    `matches: [{methods: [GET]}], access: Public`,
    `matches: [{path: {type: RegularExpression, value: "/a/[^/]+"}}], access: Public`,
  ])('%s is accepted', (fields) => {
    expect(codes(rule(fields))).toEqual([]);
    expect(rule(fields).kind).toBe('accepted');
  });
});

describe('S1 a rule says what it is', () => {
  test.each([
    [at, 'missing-field spec.rules[0]'],
    [`access: Public`, 'missing-field spec.rules[0]'],
    [`matches: [], access: Public`, 'invalid-value spec.rules[0].matches'],
    [`matches: [{}], access: Public`, 'invalid-value spec.rules[0].matches[0]'],
    [`${at}, access: public`, 'invalid-value spec.rules[0].access'],
    [`${at}, access: Restricted`, 'missing-field spec.rules[0]'],
    [`${at}, access: Restricted, authorization: {}`, 'invalid-value spec.rules[0].authorization'],
    [`${at}, access: Restricted, authorization: null`, 'invalid-value spec.rules[0].authorization'],
    [`${at}, access: Restricted, authorization: {scopes: {}}`, 'invalid-value spec.rules[0].authorization.scopes'],
    [
      `${at}, access: Restricted, authorization: {scopes: {allOf: []}}`,
      'invalid-value spec.rules[0].authorization.scopes.allOf',
    ],
    [`${at}, access: Restricted, authorization: {anyOf: [{}]}`, 'invalid-value spec.rules[0].authorization.anyOf[0]'],
    [
      `${at}, access: Restricted, authorization: {claims: [{claim: a}]}`,
      'invalid-value spec.rules[0].authorization.claims[0]',
    ],
    [
      `${at}, access: Restricted, authorization: {claims: [{claim: a, bool: true, exists: true}]}`,
      'invalid-value spec.rules[0].authorization.claims[0]',
    ],
    [
      `${at}, access: Authenticated, authorization: {scopes: {allOf: [a]}}`,
      'invalid-value spec.rules[0].authorization',
    ],
    [`${at}, access: Public, authorization: {scopes: {allOf: [a]}}`, 'invalid-value spec.rules[0].authorization'],
    [`${at}, access: Denied, upstream: {credential: Keep}`, 'invalid-value spec.rules[0].upstream'],
    [`${at}, access: Public, authentication: {providers: [{name: p}]}`, 'invalid-value spec.rules[0].authentication'],
    [`${at}, access: Public, addresses: {}`, 'invalid-value spec.rules[0].addresses'],
    [`${at}, access: Public, addresses: {allow: []}`, 'invalid-value spec.rules[0].addresses.allow'],
    [`matches: [{methods: []}], access: Public`, 'invalid-value spec.rules[0].matches[0].methods'],
  ])('%s is refused', (fields, problem) => {
    expect(rule(fields).kind).toBe('refused');
    expect(codes(rule(fields))).toContain(problem);
  });
});

describe('S2 a misspelt field never loosens', () => {
  test.each([
    ['host: [b.example]', 'spec.host'],
    ['hosts: [a.example], adresses: {deny: [10.0.0.0/8]}', 'spec.adresses'],
    ['hosts: [a.example], adresses: {deny: [10.0.0.0/8]}', 'spec.adresses'],
    ['hosts: [a.example], path: {parameters: Strip}', 'spec.path'],
  ])('%s is refused by name', (fields, field) => {
    const parsed = policy(`${fields}, rules: [{name: r, ${at}, access: Public}]`);
    expect(parsed.kind).toBe('refused');
    expect(codes(parsed)).toContain(`unknown-field ${field}`);
  });

  test.each([
    [`${at}, access: Public, adress: 1`, 'spec.rules[0].adress'],
    [`matches: [{path: {type: Exact, value: /x}, method: [GET]}], access: Public`, 'spec.rules[0].matches[0].method'],
    [`matches: [{path: {type: Exact, value: /x, case: no}}], access: Public`, 'spec.rules[0].matches[0].path.case'],
    [
      `${at}, access: Restricted, authorization: {scopes: {allOf: [a]}, role: {anyOf: [b]}}`,
      'spec.rules[0].authorization.role',
    ],
    [
      `${at}, access: Restricted, authorization: {scopes: {allOf: [a], oneOf: [b]}}`,
      'spec.rules[0].authorization.scopes.oneOf',
    ],
    [
      `${at}, access: Restricted, authorization: {anyOf: [{scopes: {allOf: [a]}, rolls: 1}]}`,
      'spec.rules[0].authorization.anyOf[0].rolls',
    ],
    [
      `${at}, access: Restricted, authorization: {claims: [{claim: a, exists: true, is: 1}]}`,
      'spec.rules[0].authorization.claims[0].is',
    ],
    [`${at}, access: Public, addresses: {deny: [10.0.0.0/8], alow: []}`, 'spec.rules[0].addresses.alow'],
    [`${at}, access: Public, upstream: {credentials: Remove}`, 'spec.rules[0].upstream.credentials'],
  ])('%s is refused by name', (fields, field) => {
    expect(codes(rule(fields))).toContain(`unknown-field ${field}`);
  });

  test('the Problem has file, line and column, and says what was meant', () => {
    const parsed = parse(
      'apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: a, namespace: s}\nspec:\n  hosts: [a.example]\n  rules:\n  - name: r\n    matches: [{methods: [GET]}]\n    acess: Public\n',
    );
    expect(parsed.problems.map(formatProblem)).toEqual([
      'p.yaml:7:5: error: 0 needs the field access [missing-field]'.replace('0 needs', 'rules[0] needs'),
      'p.yaml:9:5: error: rules[0] has no field "acess"; did you mean access? [unknown-field]',
    ]);
  });

  test('so are unknown parts of the document around the spec', () => {
    const parsed = parse(
      'apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: a}\nspecs: {}\nspec: {hosts: [a.example], rules: []}\n',
    );
    expect(codes(parsed)).toContain('unknown-field specs');
  });
});

describe('what this version does not build is refused by its name', () => {
  test.each([
    ['requirements: {transport: HTTPS}', 'requirements'],
    ['rateLimits: []', 'rateLimits'],
    ['failedAuthentication: {}', 'failedAuthentication'],
    ['inspect: []', 'inspect'],
    ['response: {cors: {}}', 'cors'],
    ['response: {unauthenticated: {redirectToLogin: p}}', 'redirectToLogin'],
    ['response: {securityHeaders: API}', 'securityHeaders'],
    ['upstream: {inject: {}}', 'inject'],
  ])('%s', (field, name) => {
    const parsed = policy(`hosts: [a.example], ${field}, rules: [{name: r, ${at}, access: Public}]`);
    expect(parsed.kind).toBe('refused');
    expect(parsed.problems.map(({ message }) => message)).toContain(`${name} is not supported by this version`);
  });

  test.each([
    [`${at}, access: Public, body: {}`, 'body is not supported by this version'],
    [`${at}, access: Public, rateLimits: []`, 'rateLimits is not supported by this version'],
  ])('%s', (fields, message) => {
    expect(rule(fields).problems.map((problem) => problem.message)).toContain(message);
  });

  test.each(['mode: Enforce', 'onInvalid: KeepLast', 'mode: Shadow', 'onInvalid: Deny'])('%s is accepted', (field) => {
    expect(policy(`hosts: [a.example], ${field}, rules: [{name: r, ${at}, access: Public}]`).kind).toBe('accepted');
  });
});

describe('S5, S13, S20, S22 the parts of a policy beyond paths and scopes', () => {
  const named = (fields: string): ParsedDocument => policy(`${fields}, rules: [{name: r, ${at}, access: Public}]`);

  test.each([
    `matches: [{headers: [{name: X-Version, value: "2"}], queryParams: [{name: view, value: full}]}], access: Public`,
    `${at}, access: Optional`,
    `${at}, access: Restricted, authorization: {providers: [p]}`,
    `${at}, access: Restricted, authorization: {anyOf: [{providers: [p], scopes: {allOf: [a]}}]}`,
    `${at}, access: Restricted, authorization: {stepUp: {acr: {anyOf: [mfa]}, amr: {anyOf: [otp]}, maxAge: 10m}}`,
    `${at}, access: Public, response: {forbidden: {status: 404, body: nothing here}, unauthenticated: {headers: [{name: x-help, value: a}]}}`,
  ])('%s is accepted', (fields) => {
    expect(codes(rule(fields))).toEqual([]);
  });

  test.each([
    [`matches: [{headers: []}], access: Public`, 'invalid-value spec.rules[0].matches[0].headers'],
    [`matches: [{headers: [{name: x}]}], access: Public`, 'missing-field spec.rules[0].matches[0].headers[0]'],
    [
      `matches: [{headers: [{name: "x y", value: a}]}], access: Public`,
      'invalid-value spec.rules[0].matches[0].headers[0].name',
    ],
    ...['host', 'Host', ':authority', ':path', ':method', ':scheme'].map((name) => [
      `matches: [{headers: [{name: "${name}", value: a}]}], access: Denied`,
      'match-never spec.rules[0].matches[0].headers[0].name',
    ]),
    [
      `matches: [{headers: [{name: x, value: " a"}]}], access: Public`,
      'match-never spec.rules[0].matches[0].headers[0].value',
    ],
    [
      `matches: [{headers: [{name: x, value: a}, {name: X, value: b}]}], access: Public`,
      'duplicate-name spec.rules[0].matches[0].headers[1].name',
    ],
    [
      `matches: [{queryParams: [{name: q, value: a}, {name: q, value: b}]}], access: Public`,
      'duplicate-name spec.rules[0].matches[0].queryParams[1].name',
    ],
    [
      `${at}, access: Restricted, authorization: {providers: [other]}`,
      'missing-reference spec.rules[0].authorization.providers[0]',
    ],
    [
      `${at}, access: Restricted, authorization: {anyOf: [{providers: [other]}]}`,
      'missing-reference spec.rules[0].authorization.anyOf[0].providers[0]',
    ],
    [`${at}, access: Restricted, authorization: {stepUp: {}}`, 'invalid-value spec.rules[0].authorization.stepUp'],
    [
      `${at}, access: Restricted, authorization: {stepUp: {acr: {}}}`,
      'missing-field spec.rules[0].authorization.stepUp.acr',
    ],
    [
      `${at}, access: Restricted, authorization: {stepUp: {acr: {anyOf: ["a b"]}}}`,
      'invalid-value spec.rules[0].authorization.stepUp.acr.anyOf[0]',
    ],
    [
      `${at}, access: Restricted, authorization: {stepUp: {maxAge: "10"}}`,
      'invalid-value spec.rules[0].authorization.stepUp.maxAge',
    ],
    [`${at}, access: Public, response: {forbidden: {}}`, 'invalid-value spec.rules[0].response.forbidden'],
    [
      `${at}, access: Public, response: {forbidden: {status: 200}}`,
      'invalid-value spec.rules[0].response.forbidden.status',
    ],
    [
      `${at}, access: Public, response: {forbidden: {contentType: text/html}}`,
      'invalid-value spec.rules[0].response.forbidden.contentType',
    ],
  ])('%s is refused', (fields, problem) => {
    expect(rule(fields).kind).toBe('refused');
    expect(codes(rule(fields))).toContain(problem);
  });

  test('an Optional rule needs a provider too', () => {
    expect(codes(policy(`hosts: [a.example], rules: [{name: r, ${at}, access: Optional}]`))).toEqual([
      'missing-provider spec.rules[0].access',
    ]);
  });

  test('a policy is attached by hosts or by name', () => {
    expect(codes(named('attachment: Named'))).toEqual([]);
    expect(codes(named('attachment: Named, hosts: [a.example]'))).toEqual(['invalid-value spec.attachment']);
    expect(named('attachment: named').kind).toBe('refused');
  });

  describe('to routes', () => {
    const ref = 'group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders';

    test('of the Gateway API, whole or by a rule', () => {
      const parsed = named(
        `targetRefs: [{${ref}}, {${ref}, sectionName: admin}, {group: gateway.networking.k8s.io, kind: GRPCRoute, name: orders}]`,
      );
      expect(parsed.kind === 'accepted' && parsed.spec).toMatchObject({
        attachment: 'Targets',
        hosts: [],
        targets: [
          { kind: 'HTTPRoute', name: 'orders', section: '' },
          { kind: 'HTTPRoute', name: 'orders', section: 'admin' },
          { kind: 'GRPCRoute', name: 'orders', section: '' },
        ],
      });
    });

    test.each([
      ['targetRefs: []', 'invalid-value spec.targetRefs'],
      [`targetRefs: [{${ref}}], hosts: [a.example]`, 'invalid-value spec.targetRefs'],
      [`targetRefs: [{${ref}}], attachment: Named`, 'invalid-value spec.attachment'],
      [`targetRefs: [{${ref}}, {${ref}}]`, 'duplicate-name spec.targetRefs[1]'],
      [`targetRefs: [{${ref}, section: admin}]`, 'unknown-field spec.targetRefs[0].section'],
      [`targetRefs: [{${ref}, namespace: other}]`, 'unknown-field spec.targetRefs[0].namespace'],
      [
        'targetRefs: [{group: gateway.networking.k8s.io, kind: TLSRoute, name: a}]',
        'invalid-value spec.targetRefs[0].kind',
      ],
      ['targetRefs: [{group: example.com, kind: HTTPRoute, name: a}]', 'invalid-value spec.targetRefs[0].group'],
      ['targetRefs: [{kind: HTTPRoute, name: a}]', 'missing-field spec.targetRefs[0]'],
      [
        'targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: "a,b"}]',
        'invalid-value spec.targetRefs[0].name',
      ],
    ])('and refuses %s', (fields, problem) => {
      expect(codes(named(fields))).toEqual([problem]);
    });
  });
});

describe('S8 the floor', () => {
  const floor = (spec: string): ParsedDocument =>
    parse(`apiVersion: portcullis.dev/v1alpha1\nkind: ClusterAccessPolicy\nmetadata: {name: f}\nspec: {${spec}}\n`);

  test.each([
    `rules: [{name: r, ${at}, access: Denied}]`,
    `rules: [{name: r, ${at}, access: Authenticated}]`,
    `hosts: ["*.example"], rules: [{name: r, ${at}, access: Restricted, authorization: {scopes: {allOf: [a]}}}]`,
    'addresses: {deny: [192.0.2.0/24]}',
  ])('%s is accepted', (spec) => {
    expect(codes(floor(spec))).toEqual([]);
  });

  test.each([
    [`rules: [{name: r, ${at}, access: Public}]`, 'invalid-value spec.rules[0].access'],
    [`rules: [{name: r, ${at}, access: Optional}]`, 'invalid-value spec.rules[0].access'],
    [`rules: [{name: r, ${at}, access: Restricted}]`, 'missing-field spec.rules[0]'],
    [`rules: [{name: r, ${at}, access: Denied, upstream: {}}]`, 'unknown-field spec.rules[0].upstream'],
    [
      `rules: [{name: r, ${at}, access: Authenticated, authentication: {}}]`,
      'unknown-field spec.rules[0].authentication',
    ],
    ['', 'invalid-value spec'],
    ['mode: Enforce', 'missing-field spec'],
    ['requirements: {transport: HTTPS}', 'unsupported spec.requirements'],
  ])('%s is refused', (spec, problem) => {
    expect(codes(floor(spec))).toContain(problem);
  });
});

describe('S11, S12 what can never match is a Problem', () => {
  test.each([
    '{path: {type: PathPrefix, value: x}}',
    '{path: {type: PathPrefix, value: //x}}',
    '{path: {type: PathPrefix, value: /a/../x}}',
    '{path: {type: PathPrefix, value: "/a;x=1"}}',
    '{path: {type: PathPrefix, value: "/a%2Fb"}}',
    '{path: {type: PathPrefix, value: "/a?x=1"}}',
    '{path: {type: Exact, value: /é}}',
    '{path: {type: RegularExpression, value: "x.*"}}',
    '{path: {type: RegularExpression, value: "/é.*"}}',
    '{path: {type: RegularExpression, value: "/a%2fb"}}',
    '{path: {type: RegularExpression, value: "/a%41b"}}',
    '{path: {type: RegularExpression, value: "(/a%5Cb|/c)"}}',
    '{methods: [get]}',
    '{methods: [FETCH]}',
  ])('%s', (match) => {
    const parsed = rule(`matches: [${match}], access: Public`);
    expect(parsed.kind).toBe('refused');
    expect(parsed.problems.map(({ code }) => code)).toContain('match-never');
  });

  test('values are brought into the form of requests', () => {
    const parsed = policy(
      `hosts: [A.Example], paths: {allowEncoded: ["%2f"]}, rules: [{name: r, access: Public, matches: [{path: {type: PathPrefix, value: "/%61/b%2fc/"}}]}]`,
    );
    expect(parsed).toMatchObject({
      kind: 'accepted',
      spec: {
        hosts: ['a.example'],
        paths: { allowEncoded: ['%2F'] },
        rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/a/b%2Fc' } }] }],
      },
    });
  });
});

describe('other mistakes', () => {
  test.each([
    ['hosts: ["a b"]', 'invalid-value spec.hosts[0]'],
    ['hosts: [a.example:80]', 'invalid-value spec.hosts[0]'],
    ['hosts: ["api.*.example"]', 'invalid-value spec.hosts[0]'],
    ['hosts: ["*.10.0.0.1"]', 'invalid-value spec.hosts[0]'],
    ['hosts: [a.example, A.EXAMPLE]', 'duplicate-name spec.hosts[1]'],
    ['hosts: []', 'invalid-value spec.hosts'],
    ['mode: Enforce', 'missing-field spec'],
    ['hosts: [a.example], addresses: {deny: [10.1.0.0/8]}', 'invalid-value spec.addresses.deny[0]'],
    ['hosts: [a.example], paths: {allowEncoded: ["%41"]}', 'invalid-value spec.paths.allowEncoded[0]'],
    [
      'hosts: [a.example], authentication: {providers: [{name: p}, {name: p}]}',
      'duplicate-name spec.authentication.providers[1]',
    ],
    ['hosts: [a.example], upstream: {headers: [{name: x}]}', 'invalid-value spec.upstream.headers[0]'],
    [
      'hosts: [a.example], upstream: {headers: [{name: x, value: a, expression: identity.subject}]}',
      'invalid-value spec.upstream.headers[0]',
    ],
    [
      'hosts: [a.example], upstream: {headers: [{name: x-a, value: a}, {name: X_A, value: b}]}',
      'duplicate-name spec.upstream.headers[1].name',
    ],
    [
      'hosts: [a.example], upstream: {headers: [{name: x, value: "a\\r\\nb"}]}',
      'invalid-value spec.upstream.headers[0].value',
    ],
    [
      'hosts: [a.example], upstream: {headers: [{name: "x y", value: a}]}',
      'invalid-value spec.upstream.headers[0].name',
    ],
    [
      'hosts: [a.example], response: {headers: [{name: x, value: "a\\nb"}]}',
      'invalid-value spec.response.headers[0].value',
    ],
  ])('%s', (fields, problem) => {
    const parsed = policy(`${fields}, rules: [{name: r, ${at}, access: Public}]`);
    expect(parsed.kind).toBe('refused');
    expect(codes(parsed)).toContain(problem);
  });

  test('two rules of one name', () => {
    const parsed = policy(
      `hosts: [a.example], rules: [{name: r, ${at}, access: Public}, {name: r, ${at}, access: Denied}]`,
    );
    expect(codes(parsed)).toEqual(['duplicate-name spec.rules[1].name']);
  });

  test('S20 a rule that needs an identity and has no provider', () => {
    const parsed = policy(`hosts: [a.example], rules: [{name: r, ${at}, access: Authenticated}]`);
    expect(codes(parsed)).toEqual(['missing-provider spec.rules[0].access']);
  });

  test.each([':path', 'host', 'connection', 'content-length', 'transfer-encoding', 'x-envoy-original-path', 'te'])(
    'S25 the header %s belongs to the protocol or the proxy',
    (name) => {
      for (const field of [`headers: [{name: "${name}", value: a}]`, `removeHeaders: ["${name}"]`]) {
        const parsed = policy(`hosts: [a.example], upstream: {${field}}, rules: [{name: r, ${at}, access: Public}]`);
        expect(parsed.kind).toBe('refused');
      }
    },
  );

  test.each(['grpc-status', 'Grpc-Message', 'grpc-status-details-bin'])(
    'S29 the header %s makes a success of a denial and is no dressing',
    (name) => {
      for (const field of [
        `headers: [{name: ${name}, value: '0'}]`,
        `forbidden: {headers: [{name: ${name}, value: '0'}]}`,
      ]) {
        const parsed = policy(`hosts: [a.example], response: {${field}}, rules: [{name: r, ${at}, access: Public}]`);
        expect(codes(parsed).map((code) => code.split(' ')[0])).toEqual(['forbidden-header']);
      }
    },
  );

  test.each([
    'identity',
    'identity.nope',
    'request.nope',
    'request.headers',
    'identity.claims',
    'identity.subject + 1',
    'identity.subject.matches("(")',
    'request.headers["X-Upper"]',
    '__proto__',
    'identity.constructor',
  ])('the expression %s is refused', (expression) => {
    const parsed = policy(
      `hosts: [a.example], upstream: {headers: [{name: x, expression: '${expression}'}]}, rules: [{name: r, ${at}, access: Public}]`,
    );
    expect(codes(parsed)).toEqual(['invalid-expression spec.upstream.headers[0].expression']);
  });

  test('the Problem of an expression says where in it the mistake is', () => {
    const parsed = policy(
      `hosts: [a.example], upstream: {headers: [{name: x, expression: 'identity.subject + identity.nope'}]}, rules: [{name: r, ${at}, access: Public}]`,
    );
    expect(parsed.problems).toEqual([
      expect.objectContaining({
        message: '"....subject + identity.nope": no such key: nope (character 29 of the expression)',
      }),
    ]);
  });

  test.each([
    'request.path',
    'identity.claims.a.b',
    'identity.subject + "x"',
    'has(identity.claims.a) ? identity.claims.a : request.id',
    'identity.roles.filter(r, r.startsWith("app-"))',
  ])('the expression %s is taken', (expression) => {
    const parsed = policy(
      `hosts: [a.example], upstream: {headers: [{name: x, expression: '${expression}'}]}, rules: [{name: r, ${at}, access: Public}]`,
    );
    expect(codes(parsed)).toEqual([]);
  });

  test('a misspelt namespace is not the namespace default', () => {
    const head = (metadata: string): string =>
      `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: a, ${metadata}}\nspec: {hosts: [a.example], rules: [{name: r, ${at}, access: Public}]}\n`;
    expect(codes(parse(head('namepsace: shop')))).toEqual(['unknown-field metadata.namepsace']);
    expect(codes(parse(head('<<: {namespace: shop}')))).toEqual(['unknown-field metadata.<<']);
    expect(codes(parse(head('namespace: shop, labels: {a: b}, annotations: {c: d}, generation: 1')))).toEqual([]);
  });

  test.each(['spec: text', 'spec: [1]', 'spec: null', 'other: 1'])('a document with %s', (text) => {
    expect(parse(`apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: a}\n${text}\n`).kind).toBe(
      'refused',
    );
  });

  test.each([
    'just text',
    '[1, 2]',
    'kind: AccessPolicy',
    'apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {}',
  ])('%j is no document', (text) => {
    expect(parse(text)).toMatchObject({ kind: 'nameless', problems: [{ code: 'not-a-document' }] });
  });
});

describe('S3 kinds and versions', () => {
  test('another kind of another group is passed over by name', () => {
    expect(parse('apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n')).toMatchObject({
      kind: 'passed-over',
      what: 'Deployment (apps/v1)',
    });
  });

  test.each([
    ['portcullis.dev/v1', 'AccessPolicy'],
    ['portcullis.dev/v1alpha1', 'AccesPolicy'],
    ['portcullis.dev/v1alpha1', 'Unknown'],
    ['portculis.dev/v1alpha1', 'AccessPolicy'],
    ['portculis.dev/v1alpha1', 'AcessPolicy'],
    ['portcullis/v1alpha1', 'AccessPolicy'],
    ['v1alpha1', 'AccessPolicy'],
    ['""', 'AccessPolicy'],
  ])('%s %s is refused and not passed over', (apiVersion, kind) => {
    const parsed = parse(
      `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\nspec: {hosts: [a.example], rules: [{name: r, ${at}, access: Public}]}\n`,
    );
    expect(parsed.kind).toBe('refused');
    expect(parsed.problems.map(({ code }) => code)).toContain('unknown-version');
  });
});

describe('S24 conditions', () => {
  test.each([
    `${at}, access: Restricted, authorization: {when: [{expression: "identity.subject != ''", message: m}]}`,
    `${at}, access: Denied, when: [{expression: "request.method == 'GET'"}]`,
  ])('%s is accepted', (fields) => {
    expect(codes(rule(fields))).toEqual([]);
  });

  test.each([
    [`${at}, access: Restricted, authorization: {when: []}`, 'invalid-value spec.rules[0].authorization.when'],
    [
      `${at}, access: Restricted, authorization: {when: [{expression: identity.subject}]}`,
      'invalid-expression spec.rules[0].authorization.when[0].expression',
    ],
    [
      `${at}, access: Restricted, authorization: {when: [{expression: identity.nope == 1}]}`,
      'invalid-expression spec.rules[0].authorization.when[0].expression',
    ],
    [
      `${at}, access: Restricted, authorization: {anyOf: [{when: [{expression: "(("}]}]}`,
      'invalid-expression spec.rules[0].authorization.anyOf[0].when[0].expression',
    ],
    [
      `${at}, access: Restricted, authorization: {when: [{expression: "true", mesage: x}]}`,
      'unknown-field spec.rules[0].authorization.when[0].mesage',
    ],
    [
      `${at}, access: Denied, when: [{expression: "identity.subject == ''"}]`,
      'invalid-expression spec.rules[0].when[0].expression',
    ],
    [`${at}, access: Public, when: [{expression: "true"}]`, 'invalid-value spec.rules[0].when'],
  ])('%s is refused', (fields, problem) => {
    expect(codes(rule(fields))).toContain(problem);
  });
});

describe('the contract', () => {
  const meant: ReadonlySet<string> = new Set(['unsupported', 'provider-not-named', 'believed-names']);
  test.each(['access-policies', 'access-policies-more', 'identity-providers', 'identity-providers-more'])(
    '%s: every document is accepted or refused for what is not built yet',
    (name) => {
      const file = `test/contract/${name}.yaml`;
      for (const document of readDocuments(file, readFileSync(file, 'utf8'))) {
        const parsed = parseDocument(document, { serviceNamespace: 'portcullis' });
        expect(['accepted', 'refused']).toContain(parsed.kind);
        expect(parsed.problems.filter(({ code }) => !meant.has(code))).toEqual([]);
      }
    },
  );
});

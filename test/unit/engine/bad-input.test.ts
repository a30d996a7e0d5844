import { afterEach, describe, expect, test } from 'vitest';
import { readDocuments } from '../../../src/files/read-documents.ts';
import type { DocumentStatus } from '../../../src/core/status.ts';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

/** Documents that are too large, too deep, endless or dangling: one clear error each, and what served goes on serving. */
let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

async function start(yaml: string): Promise<DecisionStand> {
  stand?.close();
  stand = await createDecisionStand(documentsOf(yaml), {});
  return stand;
}

async function codeOf(on: DecisionStand, host: string, path = '/x'): Promise<string> {
  const decision = await on.engine.check(rawRequest({ host, path }));
  return decision.kind === 'allow' ? `allow ${decision.about.policy}` : decision.denial.code;
}

function statusOf(on: DecisionStand, key: string): DocumentStatus | undefined {
  return on.engine.status().documents.find((document) => document.key === key);
}

const policy = (name: string, spec: string): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: {${spec}}\n`;
const open = '{name: open, matches: [{path: {type: PathPrefix, value: /}}], access: Public}';
const list = (length: number, element: (index: number) => string): string =>
  Array.from({ length }, (_, index) => element(index)).join(', ');
const served = policy('served', `hosts: [served.example], rules: [${open}]`);
const before = policy('bad', `hosts: [bad.example], rules: [${open}]`);
/** Every byte of it is allowed: 64 rules of 15 matches with long header values. */
const large = list(
  63,
  (i) =>
    `{name: r${i}, access: Public, matches: [${list(15, (j) => `{path: {type: Exact, value: /r/${i}/${j}}, headers: [{name: x-a, value: "${'v'.repeat(1000)}"}]}`)}]}`,
);

describe('a policy of a megabyte', () => {
  test('that is valid is accepted, decides, and takes no time of requests', async () => {
    const text = policy('large', `hosts: [large.example], rules: [${large}, ${open}]`);
    expect(text.length).toBeGreaterThan(950_000);
    const on = await start(text);
    expect(statusOf(on, 'AccessPolicy shop/large')).toMatchObject({ accepted: true, problems: [] });
    const at = performance.now();
    expect(await codeOf(on, 'large.example')).toBe('allow shop/large');
    expect(performance.now() - at).toBeLessThan(10);
  });

  test.each([
    ['one rule of which is misspelt', `hosts: [bad.example], rules: [${large.replace('access', 'acess')}]`, 2],
    ['with one huge word', `hosts: [bad.example], rules: [{${open.slice(1, -7)}${'a'.repeat(1_000_000)}}]`, 1],
    [
      'with thousands of rules',
      `hosts: [bad.example], rules: [${list(12_000, (i) => open.replace('open', `r${i}`))}]`,
      1,
    ],
    ['with thousands of hosts', `hosts: [bad.example, ${list(60_000, (i) => `h${i}.example`)}], rules: [${open}]`, 1],
    [
      'with thousands of unknown fields',
      `hosts: [bad.example], rules: [${open}], ${list(80_000, (i) => `f${i}: 1`)}`,
      50,
    ],
    [
      'with hundreds of unknown fields',
      `hosts: [bad.example], rules: [${open}], ${list(900, (i) => `f${i}: ${'x'.repeat(1000)}`)}`,
      50,
    ],
    [
      'with thousands of hosts that are none',
      `hosts: [bad.example, ${list(100_000, () => '{a: 1}')}], rules: [${open}]`,
      50,
    ],
    [
      'with one field thousands of times',
      `hosts: [bad.example], rules: [${open}], ${list(80_000, () => 'mode: Enforce')}`,
      1,
    ],
  ])(
    '%s is refused with a bounded list of Problems, in bounded time',
    async (_, spec, problems) => {
      const on = await start(served + '---\n' + before);
      const at = performance.now();
      await on.apply(documentsOf(`${served}---\n${policy('bad', spec)}`));
      // Some 0.2 to 2 s; it was half a minute.
      expect(performance.now() - at).toBeLessThan(10_000);
      expect(statusOf(on, 'AccessPolicy shop/bad')).toMatchObject({ accepted: false, serving: 'last-good' });
      expect(statusOf(on, 'AccessPolicy shop/bad')?.problems).toHaveLength(problems);
      expect([await codeOf(on, 'served.example'), await codeOf(on, 'bad.example')]).toEqual([
        'allow shop/served',
        'allow shop/bad',
      ]);
    },
    30_000,
  );

  test('of hosts and rules that never was valid denies them without a table for each', async () => {
    const rules = list(3000, (i) => open.replace('open', `r${i}`).replace('/}', `/r${i}}`));
    const at = performance.now();
    const on = await start(
      `${served}---\n${policy('bad', `hosts: [${list(3000, (i) => `h${i}.example`)}], rules: [${rules}]`)}`,
    );
    expect(performance.now() - at).toBeLessThan(5000);
    expect([await codeOf(on, 'served.example'), await codeOf(on, 'h2999.example')]).toEqual([
      'allow shop/served',
      'policy_invalid',
    ]);
  }, 30_000);

  test('of mistakes has no more than 50 Problems', () => {
    const found = (text: string): number => readDocuments('x.yaml', text).flatMap(({ problems }) => problems).length;
    expect(found('- "\\q"\n'.repeat(10_000))).toBe(50);
    // Where the indentation is lost the first mistake is told, the others are echoes.
    expect(found(': : [\n'.repeat(10_000))).toBe(1);
    expect(found('a:\n\t- b\n'.repeat(10_000))).toBe(1);
  });
});

describe('a document that is nested too deeply, endless or explosive', () => {
  const nested = (open: string, close: string): string => open.repeat(10_000) + close.repeat(10_000);
  const bomb = 'bcdefghij'.split('').map((name, i) => `${name}: &${name} [${list(9, () => `*${'abcdefghij'[i]}`)}]`);

  test.each([
    ['lists of 10,000 levels', policy('bad', `hosts: [bad.example], x: ${nested('[', ']')}`), 'it is nested too deeply'],
    ['maps of 10,000 levels', policy('bad', `hosts: [bad.example], x: ${nested('{a: ', '}')}`), 'it is nested too deeply'],
    ['JSON of 10,000 levels', JSON.stringify({ apiVersion: 'portcullis.dev/v1alpha1', kind: 'AccessPolicy', metadata: { name: 'bad', namespace: 'shop' }, spec: 'X' }).replace('"X"', nested('[', ']')), 'it is nested too deeply'],
    ['an alias of the list that it stands in', policy('bad', `hosts: &h [bad.example, *h], rules: [${open}]`), 'it is nested too deeply'],
    ['an alias of the whole document', `&all ${policy('bad', 'x: *all').replaceAll('\n', ', ').replace(/^/, '{').replace(/, $/, '}')}`, 'it is nested too deeply'],
    ['aliases that stand for 9^10 texts', `${policy('bad', '')}a: &a [${list(9, () => 'x')}]\n${bomb.join('\n')}`, 'its aliases expand to too much'],
  ])('%s is one error, and the policy that it may have been goes on serving', async (_, text, why) => {
    const on = await start(`${served}---\n${before}`);
    const at = performance.now();
    await on.apply([...documentsOf(served, 'served.yaml'), ...documentsOf(text)]);
    expect(performance.now() - at).toBeLessThan(2000);
    const { problems, documents } = on.engine.status();
    const messages = [...problems, ...documents.flatMap((document) => document.problems)].map(({ message }) => message);
    expect([...new Set(messages)]).toEqual([`not well-formed YAML: ${why}`]);
    expect([await codeOf(on, 'served.example'), await codeOf(on, 'bad.example')]).toEqual([
      'allow shop/served',
      'allow shop/bad',
    ]);
  }); // prettier-ignore

  test('parentheses of an expression are one Problem', async () => {
    const expression = `${'('.repeat(2000)}true${')'.repeat(2000)}`;
    const on = await start(
      `${served}---\n${policy('bad', `hosts: [bad.example], rules: [{name: r, matches: [{path: {type: PathPrefix, value: /}}], access: Denied, when: [{expression: "${expression}"}]}]`)}`,
    );
    expect(statusOf(on, 'AccessPolicy shop/bad')?.problems.map(({ code }) => code)).toEqual(['invalid-expression']);
    expect([await codeOf(on, 'served.example'), await codeOf(on, 'bad.example')]).toEqual([
      'allow shop/served',
      'policy_invalid',
    ]);
  });
});

describe('a reference to what is not there', () => {
  const provider = (name: string, jwt: string): string =>
    `---\napiVersion: portcullis.dev/v1alpha1\nkind: IdentityProvider\nmetadata: {name: ${name}, namespace: shop}\nspec: {type: JWT, jwt: {issuer: "https://i.example", audiences: [a]${jwt}}}\n`;
  const mine = '{name: mine, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated';
  const by = (ref: string, rule = `${mine}}`): string =>
    `---\n${policy('bad', `hosts: [bad.example], authentication: {providers: [${ref}]}, rules: [${rule}]`)}`;

  test.each([
    ['a provider', by('{name: none}'), 'the IdentityProvider shop/none that the policy names does not exist'],
    ['a cluster provider', by('{kind: ClusterIdentityProvider, name: none}'), 'the ClusterIdentityProvider none that the policy names does not exist'],
    ['a provider of a rule', by('{name: p}', `${mine}, authentication: {providers: [{name: none}]}}`) + provider('p', ''), 'the IdentityProvider shop/none that the policy names does not exist'],
    ['a provider of another namespace', by('{name: p}') + provider('p', '').replace('namespace: shop', 'namespace: other'), 'the IdentityProvider shop/p that the policy names does not exist'],
    ['a provider that was refused', by('{name: p}') + provider('p', ', isuer: x'), 'the IdentityProvider shop/p that the policy names was refused'],
    ['a provider that authorization alone names', by('{name: p}', `${mine.replace('Authenticated', 'Restricted')}, authorization: {providers: [none]}}`) + provider('p', ''), 'none is none of the providers of the rule'],
  ])('%s is one Problem, and its policy denies', async (_, yaml, message) => {
    const on = await start(served + yaml);
    expect(statusOf(on, 'AccessPolicy shop/bad')?.problems.map((problem) => problem.message)).toEqual([message]);
    expect([await codeOf(on, 'served.example'), await codeOf(on, 'bad.example')]).toEqual([
      'allow shop/served',
      'policy_invalid',
    ]);
  }); // prettier-ignore

  test('the ConfigMap of a provider leaves it without keys, and nobody is let in', async () => {
    const keys = ', jwks: {configMapRef: {name: none, key: jwks.json}}';
    const on = await start(served + by('{name: p}') + provider('p', keys));
    const decision = await on.engine.check(
      rawRequest({ host: 'bad.example', token: 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2kuZXhhbXBsZSJ9.AAAA' }),
    );
    expect(decision.kind).toBe('deny');
    expect(on.engine.status().providers[0]?.lastError).toBeTypeOf('string');
    expect(await codeOf(on, 'served.example')).toBe('allow shop/served');
  });
});

describe('the ConfigMap of a provider', () => {
  const map = (data: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: keys, namespace: shop}\ndata: {jwks.json: ${data}}\n`;
  const provider =
    'apiVersion: portcullis.dev/v1alpha1\nkind: IdentityProvider\nmetadata: {name: p, namespace: shop}\n' +
    'spec: {type: JWT, jwt: {issuer: "https://i.example", audiences: [a], jwks: {configMapRef: {name: keys, key: jwks.json}}}}\n';
  const key = '{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}';
  const jwks = `'{"keys":[${key}]}'`;
  const none = `'{"keys":[]}'`;

  test.each([
    ['is not well-formed any more', `a: [\n${map(none)}`],
    ['is there twice', `${map(none)}---\n${map(jwks)}`],
    ['holds what is no text', map('{a: 1}')],
  ])('that %s leaves it the keys that it had', async (_, broken) => {
    const on = await start('');
    const keysOf = async (text: string): Promise<number | undefined> => {
      await on.apply([...documentsOf(provider, 'p.yaml'), ...documentsOf(text, 'keys.yaml')]);
      return on.engine.status().providers[0]?.keys;
    };
    expect(await keysOf(map(jwks))).toBe(1);
    expect(await keysOf(broken)).toBe(1);
    expect(on.engine.status().problems).not.toEqual([]);
    // The control: one that is gone takes them away.
    expect(await keysOf('')).toBe(0);
  });
});

describe('a policy that is valid alone and conflicts with another', () => {
  test.each([
    ['claims the host of another namespace', served.replace('name: served, namespace: shop', 'name: bad, namespace: other'), 'AccessPolicy other/bad', 'host-conflict'],
    ['bears the name of another', served.replace('served.example', 'bad.example'), 'AccessPolicy shop/served', 'duplicate-document'],
  ])('%s: it is refused with its Problem, and what served goes on', async (_, text, key, code) => {
    const on = await start(text);
    expect(statusOf(on, key)).toMatchObject({ accepted: true });
    await on.apply(documentsOf(served));
    await on.apply(documentsOf(`${served}---\n${text}`));
    expect(new Set(statusOf(on, key)?.problems.map((problem) => problem.code))).toEqual(new Set([code]));
    expect(await codeOf(on, 'served.example')).toBe('allow shop/served');
  }); // prettier-ignore
});

describe('expressions that are too much together', () => {
  const long = `request.path != '${'x'.repeat(4000)}'`;
  const denying = (count: number): string =>
    list(
      8,
      (i) =>
        `{name: r${i}, matches: [{path: {type: PathPrefix, value: /r${i}}}], access: Denied, when: [${list(count, () => `{expression: "${long}"}`)}]}`,
    );
  const inheriting = (rules: number): string =>
    `hosts: [bad.example], upstream: {headers: [{name: x-a, expression: "${long}"}]}, rules: [${list(rules, (i) => open.replace('open', `r${i}`).replace('value: /', `value: /r${i}`))}]`;
  const wide = (header: string): string =>
    inheriting(60).replace('{headers: [', `{headers: [${list(4, (i) => header.replace('N', String(i)))}, `);
  const problemsOf = (on: DecisionStand): unknown =>
    statusOf(on, 'AccessPolicy shop/bad')?.problems.map(({ code, field }) => `${code} ${field}`);

  test.each([
    ['of rules', `hosts: [bad.example], rules: [${denying(16)}]`, `hosts: [bad.example], rules: [${denying(7)}]`],
    ['that are inherited', wide(`{name: x-N, expression: "${long}"}`), inheriting(60)],
  ])('%s are one Problem, and fewer are none', async (_, many, few) => {
    const on = await start(policy('bad', many));
    expect(problemsOf(on)).toEqual(['too-large spec.rules']);
    expect(await codeOf(on, 'bad.example', '/r1')).toBe('policy_invalid');
    await on.apply(documentsOf(policy('bad', few)));
    expect(problemsOf(on)).toEqual([]);
  });
});

describe('conditions that each do as much as one may', () => {
  const loop = `request.headers['x-a'].split('').all(c, request.headers['x-a'].split('').all(d, c != 'z'))`;
  const denied = (shadow: string): string =>
    policy(
      'a',
      `hosts: [a.example], rules: [${open}, ${list(
        60,
        (i) =>
          `{name: r${i}, matches: [{path: {type: PathPrefix, value: /}}], access: Denied, when: [${list(15, () => `{expression: "${loop}"}`)}, {expression: "request.method == 'PUT'"}]}`,
      )}]${shadow}`,
    );
  const ask = (on: DecisionStand, length: number) =>
    on.engine.check(rawRequest({ host: 'a.example', headers: [['x-a', 'a'.repeat(length)]] }));

  test('have one limit together, behind which they deny', async () => {
    const on = await start(denied(''));
    // Each condition fails by its own limit and the last says no, but for the limit of all.
    expect(await ask(on, 150)).toMatchObject({ kind: 'deny', denial: { code: 'denied' } });
    // The control: what they do together for a short header is within the limit.
    expect(await ask(on, 2)).toMatchObject({ kind: 'allow' });
  });

  test('are not the business of the decision where they are those of a shadow', async () => {
    const when = `{name: r, matches: [{path: {type: PathPrefix, value: /}}], access: Denied, when: [{expression: "${loop} && request.method == 'PUT'"}]}`;
    const on = await start(
      `${policy('b', `hosts: [a.example], rules: [${open}, ${when}]`)}---\n${denied(', mode: Shadow')}`,
    );
    expect(await ask(on, 50)).toMatchObject({
      kind: 'allow',
      about: { shadow: [{ policy: 'shop/a', code: 'denied' }] },
    });
  });
});

describe('regular expressions that would hold the process', () => {
  const by = (patterns: readonly string[], access = 'Public'): string =>
    policy(
      'bad',
      `hosts: [bad.example], rules: [${patterns.map((pattern, i) => `{name: r${i}, access: ${access}, matches: [{path: {type: RegularExpression, value: "${pattern}"}}]}`).join(', ')}]`,
    );
  const problemsOf = (on: DecisionStand): unknown[] =>
    statusOf(on, 'AccessPolicy shop/bad')?.problems.map(({ code, field, place }) => [code, field, place.line]) ?? [];

  test('by the states that one can be in are a Problem at their place', async () => {
    const on = await start(by(['/usual/[0-9]+', '/.*a.{500}']));
    expect(problemsOf(on)).toEqual([['too-large', 'spec.rules[1].matches[0].path.value', 4]]);
    expect(await codeOf(on, 'bad.example', '/usual/1')).toBe('policy_invalid');
    // What is too large counts as much as it took to find out: not every one of many is looked at.
    await on.apply(documentsOf(by(Array.from({ length: 60 }, (_, i) => `/.*a.{${400 + i}}`))));
    const messages = statusOf(on, 'AccessPolicy shop/bad')?.problems.map(({ message }) => message.split(':')[0]);
    expect(messages?.filter((message) => message?.includes('is too large a'))).toHaveLength(5);
    expect(messages?.filter((message) => message?.includes('is too much beside'))).toHaveLength(45);
    await on.apply(documentsOf(by(['/usual/[0-9]+', '/.*a.{5}'])));
    expect([problemsOf(on), await codeOf(on, 'bad.example', '/usual/1')]).toEqual([[], 'allow shop/bad']);
  });

  test('together are one from the first that is too much', async () => {
    const on = await start(
      by(Array.from({ length: 40 }, (_, i) => `/.*secret${i}.*|/.*private${i}.*|/.*internal${i}.*`)),
    );
    const problems = problemsOf(on);
    expect(problems.length).toBeGreaterThan(5);
    expect(problems.length).toBeLessThan(40);
    expect(problems.at(-1)).toEqual(['too-large', 'spec.rules[39].matches[0].path.value', 4]);
    // The control: sixty as people write them.
    await on.apply(documentsOf(by(Array.from({ length: 60 }, (_, i) => `/r${i}/[0-9a-f]{8}(-[0-9a-f]{4}){3}/.*`))));
    expect([problemsOf(on), await codeOf(on, 'bad.example', '/r7/01234567-0123-0123-0123/a')]).toEqual([
      [],
      'allow shop/bad',
    ]);
  });

  test('count with the classes of Unicode that they hold, those of expressions with those of paths', async () => {
    const paths = (count: number): string[] =>
      Array.from(
        { length: count },
        (_, i) => `/x${i}[\\\\pL\\\\pN\\\\pP\\\\pS]{20}[\\\\pL]{10}[\\\\pN]{10}[\\\\pS]{10}`,
      );
    const on = await start(by(paths(64)));
    const all = problemsOf(on);
    expect(all.at(-1)).toEqual(['too-large', 'spec.rules[63].matches[0].path.value', 4]);
    // Ten that are read ten times are there once.
    await on.apply(documentsOf(by([...paths(10), ...paths(10), ...paths(10), ...paths(10), ...paths(10)])));
    expect([
      problemsOf(on).filter((problem) => String(problem).startsWith('too-large')),
      await codeOf(on, 'bad.example', `/x7${'a'.repeat(30)}${'7'.repeat(10)}${'+'.repeat(10)}`),
    ]).toEqual([[], 'allow shop/bad']);
  });

  test('of all expressions of a policy are one from the first that is too much', async () => {
    const conditions = (count: number, pattern: (i: number) => string): string =>
      policy(
        'bad',
        `hosts: [bad.example], rules: [${open}, {name: r, access: Denied, matches: [{path: {type: PathPrefix, value: /}}], when: [${Array.from({ length: count }, (_, i) => `{expression: "request.path.matches('${pattern(i)}')"}`).join(', ')}]}]`,
      );
    const on = await start(conditions(8, (i) => `a${i}[a-z]{1000}[0-9]{1000}`));
    expect(problemsOf(on)).toEqual(
      [4, 5, 6, 7].map((at) => ['invalid-expression', `spec.rules[1].when[${at}].expression`, 4]),
    );
    expect(statusOf(on, 'AccessPolicy shop/bad')?.problems[0]?.message).toContain(
      'the regular expression is too much beside the others of the policy: fewer of them, or simpler ones',
    );
    expect(await codeOf(on, 'bad.example')).toBe('policy_invalid');
    // The controls: as many as one may write, of which each is small, or all are the same.
    await on.apply(documentsOf(conditions(16, (i) => `^/r${i}/[0-9a-f]{8}(-[0-9a-f]{4}){3}`)));
    expect([problemsOf(on), await codeOf(on, 'bad.example')]).toEqual([[], 'allow shop/bad']);
    await on.apply(documentsOf(conditions(16, () => `a[a-z]{1000}[0-9]{1000}`)));
    expect([problemsOf(on), await codeOf(on, 'bad.example')]).toEqual([[], 'allow shop/bad']);
  });

  test('of a policy that never was valid deny every request of its hosts', async () => {
    const on = await start(
      `${served}---\n${by(
        Array.from({ length: 60 }, (_, i) => `/.*a.{${500 + i}}`),
        'Denied',
      )}`,
    );
    expect([await codeOf(on, 'served.example'), await codeOf(on, 'bad.example')]).toEqual([
      'allow shop/served',
      'policy_invalid',
    ]);
  });
});

describe('a path that is compared with many regular expressions', () => {
  const rules = (prefix: string): string =>
    list(
      16,
      (i) =>
        `{name: r${i}, access: Public, matches: [{path: {type: RegularExpression, value: "${prefix}x${i}/[0-9a-f]{8}-[0-9a-f]{4}"}}]}`,
    );

  test('is refused where it is too long, before it costs anything', async () => {
    const on = await start(policy('a', `hosts: [a.example], rules: [${rules('/.*')}]`));
    const at = performance.now();
    expect(await codeOf(on, 'a.example', `/${'ab'.repeat(30_000)}`)).toBe('request_too_large');
    expect(performance.now() - at).toBeLessThan(10);
    // The controls: a path of usual length, and expressions with a literal prefix, which are not asked.
    expect(await codeOf(on, 'a.example', '/a/x3/01234567-89ab')).toBe('allow shop/a');
    await on.apply(documentsOf(policy('a', `hosts: [a.example], rules: [${rules('/')}]`)));
    expect(await codeOf(on, 'a.example', `/${'ab'.repeat(30_000)}`)).toBe('no_rule');
  });
});

describe('a request that is refused as it is read', () => {
  test.each([
    ['//x', 'api.example.com', 'path_not_canonical', 'api.example.com'],
    ['/x', 'a.example,b.example', 'host_not_canonical', undefined],
  ])('%s at %s says who sent it', async (path, host, code, told) => {
    const on = await start(served);
    const headers = [['x-forwarded-for', '203.0.113.9']] as const;
    const decision = await on.engine.check(rawRequest({ method: 'PUT', path, host, headers, peer: '198.51.100.7' }));
    expect(decision).toMatchObject({
      kind: 'deny',
      denial: { code },
      // No proxy is trusted to say who the client is.
      about: { request: undefined, sender: { method: 'PUT', host: told, clientIp: '198.51.100.7' } },
    });
    const read = await on.engine.check(rawRequest({ host: 'served.example' }));
    expect([read.kind, read.about.sender]).toEqual(['allow', undefined]);
  });
});

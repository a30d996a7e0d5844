import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { AccessQuestion, AccessReview } from '../../../src/core/kubernetes-review.ts';
import type { KubernetesReviews, Logger } from '../../../src/core/ports.ts';
import { formatProblem } from '../../../src/core/problem.ts';
import type { TraceStep } from '../../../src/core/trace.ts';
import { createEngine } from '../../../src/engine/engine.ts';
import { readDocuments } from '../../../src/files/read-documents.ts';
import { createProvider } from '../../../src/phases/identity/create-provider.ts';
import { createDangerouslyBelievingProvider } from '../../../src/phases/identity/dangerously-believing-provider.ts';
import { validateSources } from '../../../src/runtime/validate.ts';
import { inlinePasswords } from '../../support/inline-passwords.ts';
import { rawRequest } from '../../support/raw-request.ts';

const nowhere = (): void => undefined;
const logger: Logger = { debug: nowhere, info: nowhere, warn: nowhere, error: nowhere };
const now = Date.UTC(2026, 0, 1);
const yes: AccessReview = { allowed: true, denied: false, hasError: false };
const account = 'system:serviceaccount:shop:web';
const groups = ['system:serviceaccounts', 'system:authenticated'];
const extra = new Map([['pod', ['a']]]);

const pods = 'resourceAttributes: {resource: {value: pods}, verb: {value: get}}';
const provider = (type: string, part: string): string =>
  `{apiVersion: portcullis.dev/v1alpha1, kind: IdentityProvider, metadata: {name: ${type.toLowerCase()}, namespace: shop}, spec: {type: ${type}, ${part}}}`;
const policy = (authorization: string, name = 'orders'): string =>
  `{apiVersion: portcullis.dev/v1alpha1, kind: AccessPolicy, metadata: {name: ${name}, namespace: shop}, spec: {hosts: [api.example.com], authentication: {providers: [{name: jwt}, {name: serviceaccount}]}, rules: [{name: one, matches: [{path: {type: PathPrefix, value: /}}], access: Restricted, authorization: {${authorization}}}]}}`;
const providers = [
  provider('JWT', 'jwt: {issuer: "https://idp.example", audiences: [orders]}'),
  provider('ServiceAccount', 'serviceAccount: {audiences: [orders]}'),
];

function tokenOf(claims: JsonObject): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encode({ alg: 'RS256' })}.${encode(claims)}.${encode('x')}`;
}
const person = (claims: JsonObject = {}): string => tokenOf({ iss: 'https://idp.example', sub: 'alice', ...claims });
const workload = tokenOf({ sub: account, aud: ['orders'] });

async function stand(authorization: string, answer: AccessReview | Failure = yes, more: readonly string[] = []) {
  const asked: AccessQuestion[] = [];
  const reviews: KubernetesReviews = {
    reviewToken: async () => ({
      authenticated: true,
      user: { username: account, uid: 'u1', groups, extra },
      audiences: ['orders'],
      hasError: false,
    }),
    reviewAccess: (question) => {
      asked.push(question);
      return answer instanceof Failure ? Promise.reject(answer) : Promise.resolve(answer);
    },
    failure: () => undefined,
  };
  const create = (isAlone: boolean) =>
    createEngine(
      {
        trustedHops: 0,
        maxHeaders: 100,
        serviceNamespace: 'portcullis',
        hostGrants: undefined,
        ownedHeaders: [],
        shadowAll: false,
        keyLoadTimeoutMs: 0,
        identity: {},
      },
      {
        // People are who they say they are; of workloads the API server is asked.
        createProvider: (spec, material, ports) =>
          spec.type === 'JWT' ? createDangerouslyBelievingProvider(spec) : createProvider(spec, material, ports),
        http: {
          get: () => Promise.reject(new Error('no network')),
          send: () => Promise.reject(new Error('no network')),
        },
        events: {
          tokenCache: nowhere,
          keyFetch: nowhere,
          introspection: nowhere,
          passwordCheck: nowhere,
          expressionFailed: nowhere,
        },
        clock: { now: () => now, monotonic: () => 0 },
        timers: { after: () => nowhere },
        random: { id: () => '0', fraction: () => 0 },
        logger,
        passwords: inlinePasswords,
        ...(isAlone ? {} : { reviews }),
      },
    );
  const documents = readDocuments('test', [...providers, policy(authorization), ...more].join('\n---\n'));
  const apply = async (isAlone = false) => {
    const engine = create(isAlone);
    await engine.apply({ documents, problems: [], unreadable: new Set() });
    return engine;
  };
  const engine = await apply();
  const errors = engine.status().documents.flatMap(({ problems }) => problems);
  expect(errors.filter(({ severity }) => severity === 'error').map(formatProblem)).toEqual([]);
  const raw = (token: string, path = '/') =>
    rawRequest({ method: 'GET', host: 'api.example.com', path, headers: [], token, peer: '127.0.0.1' });
  const ask = async (token: string, path = '/', of = engine): Promise<string> => {
    const decision = await of.check(raw(token, path));
    return decision.kind === 'allow' ? 'allow' : decision.denial.code;
  };
  return { ask, asked, apply, engine, raw };
}

describe('the user that is asked about', () => {
  it('is whom the API server named, with all that it said of him', async () => {
    const { ask, asked } = await stand(`kubernetes: {${pods}}`);
    expect(await ask(workload)).toBe('allow');
    expect(asked).toEqual([
      {
        user: { username: account, uid: 'u1', groups, extra },
        attributes: {
          kind: 'resource',
          fields: { group: '', resource: 'pods', subresource: '', verb: 'get', namespace: '', name: '' },
        },
      },
    ]);
  });

  it('is nobody for a token of an issuer, whatever it says', async () => {
    const { ask, asked } = await stand(`kubernetes: {${pods}}`);
    expect(await ask(person({ sub: account }))).toBe('access_denied');
    expect(asked).toEqual([]);
  });

  const user = 'user: {expression: identity.subject}, groups: {expression: identity.claims.groups}';
  it.each<readonly [string, string, string]>([
    ['takes a name that the rule makes of a token', person({ groups: ['devs'] }), 'allow'],
    ['takes the same account that the API server named, and its groups', workload, 'allow'],
    ['refuses the name of another account', person({ sub: account, groups: [] }), 'condition_error'],
    ['refuses system:admin', person({ sub: 'system:admin', groups: [] }), 'condition_error'],
    ['refuses the group system:masters', person({ groups: ['devs', 'system:masters'] }), 'condition_error'],
    ['refuses a group that is no text', person({ groups: ['devs', 7] }), 'condition_error'],
    ['refuses groups that are missing', person(), 'condition_error'],
    ['refuses an empty group', person({ groups: [''] }), 'condition_error'],
    ['refuses an empty name', person({ sub: '', groups: [] }), 'condition_error'],
  ])('%s', async (_title, token, expected) => {
    const { ask, asked } = await stand(`kubernetes: {${user}, ${pods}}`);
    expect(await ask(token)).toBe(expected);
    expect(asked).toHaveLength(expected === 'allow' ? 1 : 0);
  });

  it('has the fixed names that the author wrote, and no uid of somebody else', async () => {
    const fixed =
      'user: {value: "system:auditor"}, groups: {values: ["system:authenticated"], expression: identity.claims.groups}';
    const { ask, asked } = await stand(`kubernetes: {${fixed}, ${pods}}`);
    expect(await ask(person({ groups: ['devs'] }))).toBe('allow');
    expect(asked.map((one) => one.user)).toEqual([
      { username: 'system:auditor', uid: '', groups: ['system:authenticated', 'devs'], extra: new Map() },
    ]);
  });
});

describe('the attributes', () => {
  const templated = `kubernetes: {resourceAttributes: {resource: {value: orders}, verb: {value: get}, namespace: {expression: 'request.path.split("/")[2]'}}}`;
  it.each<readonly [string, string, string]>([
    ['are made of the request', '/teams/a', 'allow'],
    ['are no empty text, which would be all', '/teams/', 'condition_error'],
    ['are not what fails', '/teams', 'condition_error'],
    ['are no endless text', `/teams/${'a'.repeat(1025)}`, 'condition_error'],
  ])('%s', async (_title, path, expected) => {
    const { ask, asked } = await stand(templated);
    expect(await ask(workload, path)).toBe(expected);
    expect(asked.map(({ attributes }) => 'namespace' in attributes.fields && attributes.fields.namespace)).toEqual(
      expected === 'allow' ? ['a'] : [],
    );
  });

  it('may be a path', async () => {
    const { ask, asked } = await stand(
      'kubernetes: {nonResourceAttributes: {path: {expression: request.path}, verb: {value: get}}}',
    );
    expect(await ask(workload, '/metrics')).toBe('allow');
    expect(asked[0]?.attributes).toEqual({ kind: 'non-resource', fields: { path: '/metrics', verb: 'get' } });
  });
});

describe('the answer', () => {
  it.each<readonly [string, AccessReview | Failure, string]>([
    ['yes', yes, 'allow'],
    ['no', { ...yes, allowed: false }, 'access_denied'],
    ['yes, and an authorizer forbids it', { ...yes, denied: true }, 'access_denied'],
    ['yes, and an authorizer could not tell', { ...yes, hasError: true }, 'access_denied'],
    ['none', new Failure('review_unavailable', 'away'), 'review_unavailable'],
  ])('%s', async (_title, answer, expected) => {
    const { ask } = await stand(`kubernetes: {${pods}}`, answer);
    expect(await ask(workload)).toBe(expected);
  });

  it('is asked for with every request: a right that is gone is gone', async () => {
    const { ask, asked } = await stand(`kubernetes: {${pods}}`);
    await ask(workload);
    await ask(workload);
    expect(asked).toHaveLength(2);
  });

  it('is none where there is no cluster, and the explanation says so', async () => {
    const { apply, ask, raw } = await stand(`kubernetes: {user: {value: alice}, ${pods}}`);
    const alone = await apply(true);
    expect(await ask(person(), '/', alone)).toBe('review_unavailable');
    const steps: TraceStep[] = [];
    await alone.explain(raw(person()), { note: (step) => steps.push(step) });
    expect(steps.filter(({ kind }) => kind === 'test')).toMatchObject([
      {
        what: 'kubernetes',
        asks: { user: { value: 'alice' }, resource: { value: 'pods' } },
        value: { user: 'alice', resource: 'pods' },
        objection: { code: 'review_unavailable', message: expect.stringContaining('not asked') },
      },
    ]);
  });
});

describe('beside other tests', () => {
  const kubernetes = `kubernetes: {user: {value: alice}, ${pods}}`;
  it('is asked for only where those hold that ask nobody', async () => {
    const { ask, asked } = await stand(`claims: [{claim: tenant, in: [a]}], ${kubernetes}`);
    expect(await ask(person())).toBe('claim_mismatch');
    expect(asked).toEqual([]);
    expect(await ask(person({ tenant: 'a' }))).toBe('allow');
  });

  it('comes before stepUp, which must hold besides', async () => {
    const stepUp = 'stepUp: {acr: {anyOf: [mfa]}}';
    const { ask } = await stand(`${kubernetes}, ${stepUp}`);
    expect(await ask(person())).toBe('insufficient_user_authentication');
    expect(await ask(person({ acr: 'mfa' }))).toBe('allow');
    expect(await (await stand(`${kubernetes}, ${stepUp}`, { ...yes, allowed: false })).ask(person())).toBe(
      'access_denied',
    );
  });

  const either = `anyOf: [{${kubernetes}}, {claims: [{claim: tenant, in: [a]}]}]`;
  it.each<readonly [string, AccessReview | Failure, JsonObject, string, number]>([
    ['an alternative that asks nobody saves the question', yes, { tenant: 'a' }, 'allow', 0],
    ['one alternative is enough', yes, {}, 'allow', 1],
    ['none holds', { ...yes, allowed: false }, {}, 'access_denied', 1],
    ['one cannot be told', new Failure('x', 'away'), {}, 'review_unavailable', 1],
  ])('S21 anyOf: %s', async (_title, answer, claims, expected, questions) => {
    const { ask, asked } = await stand(either, answer);
    expect(await ask(person(claims))).toBe(expected);
    expect(asked).toHaveLength(questions);
  });

  it('a refusal that could be an outage is told as one, and what stands above anyOf still restricts', async () => {
    const both = `claims: [{claim: tenant, in: [b]}], anyOf: [{claims: [{claim: x, in: [y]}]}, {${kubernetes}}]`;
    expect(await (await stand(both, new Failure('x', 'away'))).ask(person({ tenant: 'b' }))).toBe('review_unavailable');
    expect(await (await stand(both)).ask(person({ tenant: 'b' }))).toBe('allow');
    expect(await (await stand(both)).ask(person())).toBe('claim_mismatch');
  });

  it('S8: the floor asks too, and its refusal stands', async () => {
    const floor = `{apiVersion: portcullis.dev/v1alpha1, kind: ClusterAccessPolicy, metadata: {name: floor}, spec: {rules: [{name: rbac, matches: [{path: {type: PathPrefix, value: /}}], access: Restricted, authorization: {kubernetes: {${pods}}}}]}}`;
    const all = 'providers: [jwt, serviceaccount]';
    expect(await (await stand(all, yes, [floor])).ask(workload)).toBe('allow');
    expect(await (await stand(all, { ...yes, allowed: false }, [floor])).ask(workload)).toBe('access_denied');
    expect(await (await stand(all, yes, [floor])).ask(person())).toBe('access_denied');
  });

  it('a policy without it is decided at once', async () => {
    const { engine, raw } = await stand('claims: [{claim: tenant, in: [a]}]');
    expect(engine.check(raw(person({ tenant: 'a' })))).not.toBeInstanceOf(Promise);
  });
});

it.each<readonly [string, string, string, readonly string[]]>([
  ['a rule that denies everybody is warned of', '[{name: jwt}]', `kubernetes: {${pods}}`, ['kubernetes-user-missing']],
  ['one that says the user is not', '[{name: jwt}]', `kubernetes: {user: {value: a}, ${pods}}`, []],
  ['nor one with service accounts', '[{name: serviceaccount}]', `kubernetes: {${pods}}`, []],
])('%s', async (_title, names, authorization, codes) => {
  const text = policy(authorization).replace('[{name: jwt}, {name: serviceaccount}]', names);
  const report = await validateSources(['-'], () => Promise.resolve([...providers, text].join('\n---\n')));
  expect(report.problems.map(({ code }) => code)).toEqual(codes);
});

describe('a document is refused for', () => {
  const one = '{value: x}';
  it.each<readonly [string, string, string]>([
    ['no attributes', 'user: {value: a}', 'exactly one of resourceAttributes and nonResourceAttributes'],
    [
      'both kinds',
      `${pods}, nonResourceAttributes: {path: {value: /x}, verb: ${one}}`,
      'exactly one of resourceAttributes',
    ],
    ['groups without user', `groups: {values: [a]}, ${pods}`, 'groups stands beside user'],
    ['no verb', `resourceAttributes: {resource: ${one}}`, 'needs the field verb'],
    [
      'a value and an expression',
      'resourceAttributes: {resource: {value: a, expression: "1"}, verb: {value: get}}',
      'exactly one of value',
    ],
    [
      'an expression of a number',
      'resourceAttributes: {resource: {expression: "1"}, verb: {value: get}}',
      'of type int, not a text',
    ],
    ['groups that are no list', `user: ${one}, groups: {expression: identity.subject}, ${pods}`, 'not a list of texts'],
    ['an unknown name', 'resourceAttributes: {resource: {expression: subject}, verb: {value: get}}', 'subject'],
    ['a path without a slash', `nonResourceAttributes: {path: ${one}, verb: ${one}}`, 'begins with a slash'],
    ['a misspelt field', `${pods}, usr: ${one}`, 'has no field "usr"'],
  ])('%s', async (_title, kubernetes, why) => {
    const { apply } = await stand('providers: [jwt]', yes);
    const engine = await apply();
    const documents = readDocuments('test', [...providers, policy(`kubernetes: {${kubernetes}}`)].join('\n---\n'));
    await engine.apply({ documents, problems: [], unreadable: new Set() });
    const problems = engine.status().documents.flatMap((document) => document.problems);
    expect(problems.map(({ message }) => message).join('\n')).toContain(why);
  });
});

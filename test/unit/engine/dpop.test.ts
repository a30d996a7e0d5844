import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/core/decision.ts';
import { readYaml } from '../../../src/files/read-yaml.ts';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { rawRequest } from '../../support/raw-request.ts';
import { proofOf, thumbprintOf } from '../identity/dpop-fixtures.ts';
import { ecKey } from '../identity/identity-fixtures.ts';

const holder = ecKey('client');
const now = '2026-06-01T12:00:00Z';
const iat = Date.parse(now) / 1000;

const provider = (name: string, binding = ''): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: ${name}, namespace: shop}
spec: {type: JWT, jwt: {issuer: "https://idp.example", audiences: [api]${binding}}}
---`;
const policy = (name: string, host: string, more: string, rule = 'access: Authenticated'): string => `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: ${name}, namespace: shop}
spec:
  hosts: [${host}]
  authentication: {providers: [{name: idp}]}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], ${rule}}]
${more}
---`;
const documents = [
  provider('idp'),
  policy('remove', 'remove.example.com', ''),
  policy('keep', 'keep.example.com', '  upstream: {credential: Keep}'),
  policy('public', 'public.example.com', '', 'access: Public'),
  policy('two-a', 'two.example.com', ''),
  policy('two-b', 'two.example.com', ''),
  policy('shadow', 'shadow.example.com', '  mode: Shadow'),
  policy('enforced', 'shadow.example.com', ''),
  policy(
    'step-up',
    'step.example.com',
    '',
    'access: Restricted, authorization: {stepUp: {acr: {anyOf: [gold]}, maxAge: 5m}}',
  ),
  policy('scoped', 'scoped.example.com', '', 'access: Restricted, authorization: {scopes: {allOf: [pay]}}'),
].join('');

let stand: DecisionStand;
let token: string;

async function start(text: string): Promise<void> {
  const tokens = { bound: { issuer: 'idp', claims: { sub: 'u', cnf: { jkt: await thumbprintOf(holder) } } } };
  stand = await createDecisionStand(readYaml(text, 'test.yaml'), { now, issuers: { idp: { alg: 'ES256' } }, tokens });
  token = await stand.mint.mint('bound');
}
beforeEach(() => start(documents));
afterEach(() => stand.close());

const prove = (host: string, claims: object = {}): string =>
  proofOf(holder, token, { claims: { htu: `https://${host}/a`, iat, ...claims } });

async function ask(host: string, proof = prove(host)): Promise<Decision> {
  const headers = [
    ['authorization', `DPoP ${token}`],
    ['dpop', proof],
  ] as const;
  return stand.engine.check(rawRequest({ host, path: '/a', headers }));
}

function removedOf(decision: Decision): readonly string[] {
  if (decision.kind === 'deny') throw new Error(decision.denial.code);
  return decision.upstream.removeHeaders;
}

describe('the proof on its way to the service', () => {
  test('S27 goes with its token', async () => {
    expect(removedOf(await ask('remove.example.com'))).toEqual(expect.arrayContaining(['authorization', 'dpop']));
  });

  test('S27 stays with it under Keep', async () => {
    const removed = removedOf(await ask('keep.example.com'));
    expect([removed.includes('authorization'), removed.includes('dpop')]).toEqual([false, false]);
  });

  test('S20 goes with it on a Public rule, where nobody looks at it', async () => {
    expect(removedOf(await ask('public.example.com', 'nonsense'))).toEqual(
      expect.arrayContaining(['authorization', 'dpop']),
    );
  });

  test('one that comes without such a token is not ours', async () => {
    const headers = [['dpop', 'theirs']] as const;
    const decision = await stand.engine.check(rawRequest({ host: 'public.example.com', path: '/a', headers }));
    expect(removedOf(decision)).not.toContain('dpop');
  });
});

describe('one proof', () => {
  test('is enough for all rules that hold together', async () => {
    expect((await ask('two.example.com')).kind).toBe('allow');
  });

  test('S9 is not used up by a policy that only watches, which judges it all the same', async () => {
    const proof = prove('shadow.example.com');
    const first = await ask('shadow.example.com', proof);
    expect([first.kind, first.about.shadow]).toEqual(['allow', [{ policy: 'shop/shadow', rule: 'all', code: 'ok' }]]);
    const second = await ask('shadow.example.com', proof);
    expect(second.kind === 'deny' && second.denial.code).toBe('dpop_replayed');
  });

  test('S9 a host with a policy that only watches uses none up', async () => {
    await stand.apply(readYaml(provider('idp') + policy('shadow', 'api.example.com', '  mode: Shadow'), 'test.yaml'));
    const proof = prove('api.example.com');
    for (let i = 0; i < 2; i++) {
      const decision = await ask('api.example.com', proof);
      expect(decision.about.shadow).toEqual([{ policy: 'shop/shadow', rule: 'all', code: 'ok' }]);
    }
  });

  test('is used once however the policy changes in between', async () => {
    const proof = prove('remove.example.com');
    expect((await ask('remove.example.com', proof)).kind).toBe('allow');
    await stand.apply(readYaml(documents.replace('audiences: [api]', 'audiences: [api, more]'), 'test.yaml'));
    const second = await ask('remove.example.com', proof);
    expect(second.kind === 'deny' && second.denial.code).toBe('dpop_replayed');
  });
});

describe('what a token lacks is told to the scheme that it came with', () => {
  test('S22 RFC 9470: a better login', async () => {
    const decision = await ask('step.example.com');
    expect(decision.kind === 'deny' && decision.denial).toMatchObject({
      code: 'insufficient_user_authentication',
      challenges: [
        'Bearer realm="step.example.com"',
        expect.stringMatching(
          /^DPoP realm="step.example.com", error="insufficient_user_authentication", acr_values="gold", max_age="300", algs="[^"]+"$/,
        ),
      ],
    });
  });

  test('RFC 6750: a scope', async () => {
    const decision = await ask('scoped.example.com');
    expect(decision.kind === 'deny' && decision.denial).toMatchObject({
      code: 'insufficient_scope',
      challenges: [
        'Bearer realm="scoped.example.com"',
        expect.stringMatching(/^DPoP realm="scoped.example.com", error="insufficient_scope", scope="pay", algs=/),
      ],
    });
  });
});

test('an answer to a good proof with an old nonce brings the next one', async () => {
  stand.close();
  await start(provider('idp', ', binding: {dpopNonce: Required}') + policy('a', 'api.example.com', ''));
  const first = await ask('api.example.com');
  if (first.kind !== 'deny') throw new Error('it was allowed without a nonce');
  const nonce = first.denial.headers?.[0]?.[1] ?? '';
  expect(await ask('api.example.com', prove('api.example.com', { nonce }))).toMatchObject({
    kind: 'allow',
    responseHeaders: [],
  });
  stand.clock.set((iat + 150) * 1000);
  const late = await ask('api.example.com', prove('api.example.com', { nonce, iat: iat + 150 }));
  expect(late).toMatchObject({ kind: 'allow', responseHeaders: [['dpop-nonce', expect.not.stringMatching(nonce)]] });
});

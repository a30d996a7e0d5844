import { afterEach, describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/core/decision.ts';
import type { RevocationListReading, Signal } from '../../../src/core/revocation.ts';
import type { Steps } from '../../../src/std/steps.ts';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

const issuer = 'https://idp.example';
const providerOf = (name: string, namespace: string, more = ''): string => `
apiVersion: portcullis.dev/v1alpha1
kind: ${namespace === '' ? 'ClusterIdentityProvider' : 'IdentityProvider'}
metadata: {name: ${name}${namespace === '' ? '' : `, namespace: ${namespace}`}}
spec: {type: JWT, jwt: {issuer: "${issuer}", audiences: [api], logout: {audiences: [web]}${more}}}
`;
const policyOf = (namespace: string, host: string, rules: string, kind = 'IdentityProvider'): string => `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: p, namespace: ${namespace}}
spec:
  hosts: [${host}]
  authentication: {providers: [{name: idp, kind: ${kind}}]}
  rules: [${rules}]
`;
const anybody = '{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}';
const optional = '{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Optional}';
const open = '{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Public}';
const calm =
  '{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Restricted, authorization: {when: [{expression: "!has(identity.signals.riskLevel) || identity.signals.riskLevel != \'HIGH\'"}]}}';
const known =
  '{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Restricted, authorization: {when: [{expression: "identity.signals.deviceCompliance == \'compliant\'"}]}}';
const fresh =
  '{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Restricted, authorization: {stepUp: {maxAge: 1h}}}';

const now = Date.parse('2026-06-01T12:00:00Z') / 1000;
const event = 'http://schemas.openid.net/event/backchannel-logout';
const tokens = {
  alice: { issuer: 'idp', claims: { sub: 'alice', sid: 's1', jti: 't1', auth_time: '-60s' } },
  bob: { issuer: 'idp', claims: { sub: 'bob', sid: 's2', jti: 't2', auth_time: '-60s' } },
  again: { issuer: 'idp', claims: { sub: 'alice', sid: 's1', jti: 't3', auth_time: '+20s', iat: '+20s' } },
  logout: {
    issuer: 'idp',
    claims: { aud: 'web', sub: 'alice', sid: 's1', jti: 'l1', events: { [event]: {} } },
    header: { typ: 'logout+jwt' },
  },
};

let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

async function start(...documents: readonly string[]): Promise<DecisionStand> {
  stand = await createDecisionStand(documentsOf(documents.join('---\n')), { issuers: { idp: {} }, tokens });
  return stand;
}

async function ask(on: DecisionStand, name: keyof typeof tokens, host = 'a.example'): Promise<Decision> {
  return on.engine.check(rawRequest({ host, token: await on.mint.mint(name) }));
}

async function verdict(...of: Parameters<typeof ask>): Promise<string> {
  const decision = await ask(...of);
  return decision.kind === 'allow' ? 'allow' : decision.denial.code;
}

const scope = { issuer, namespace: '', provider: '' };
const revoked = { scope, target: 'sub', value: 'alice', issuedBefore: now + 1, expiresAt: now + 3600 } as const;
const signalOf = (facts: Signal['facts']): Signal => ({ scope, target: 'sub', value: 'alice', facts, at: now });

describe('a token that was seen before', () => {
  test('S34 is refused at once, with a challenge, and nobody beside it', async () => {
    const on = await start(providerOf('idp', 'shop'), policyOf('shop', 'a.example', anybody));
    expect([await verdict(on, 'alice'), await verdict(on, 'bob')]).toEqual(['allow', 'allow']);
    await on.engine.revocations.add('admin', [revoked]);
    const decision = on.engine.check(rawRequest({ host: 'a.example', token: await on.mint.mint('alice') }));
    // It is looked up without waiting for anything.
    expect(decision).toMatchObject({ kind: 'deny', status: 401, denial: { code: 'token_revoked' } });
    expect(decision).toMatchObject({
      about: { identity: { subject: '' }, refused: { provider: 'idp', subject: 'alice', revokedBy: 'admin' } },
      denial: {
        challenges: [
          expect.stringMatching(/^Bearer realm="a\.example", error="invalid_token"/),
          expect.stringMatching(/^DPoP /),
        ],
      },
    });
    expect([await verdict(on, 'bob'), await verdict(on, 'again')]).toEqual(['allow', 'allow']);
  });

  test('is bad where a credential is optional, and nobody asks on a Public rule', async () => {
    const on = await start(
      providerOf('idp', 'shop'),
      policyOf('shop', 'a.example', optional),
      policyOf('shop', 'b.example', open).replace('name: p,', 'name: q,'),
    );
    await on.engine.revocations.add('admin', [revoked]);
    expect([await verdict(on, 'alice'), await verdict(on, 'alice', 'b.example')]).toEqual(['token_revoked', 'allow']);
  });

  test('stays revoked when the document of its provider changes', async () => {
    const on = await start(providerOf('idp', 'shop'), policyOf('shop', 'a.example', anybody));
    await on.engine.revocations.add('admin', [revoked]);
    await on.apply(
      documentsOf(`${providerOf('idp', 'shop', ', clockSkew: 10s')}---\n${policyOf('shop', 'a.example', anybody)}`),
    );
    expect([await verdict(on, 'alice'), await verdict(on, 'bob')]).toEqual(['token_revoked', 'allow']);
  });
});

test('an unreadable list denies with 503 and no challenge', async () => {
  const on = await start(providerOf('idp', 'shop'), policyOf('shop', 'a.example', anybody));
  const list = on.engine.revocations.openList('file');
  expect(await ask(on, 'alice')).toMatchObject({
    status: 503,
    denial: { code: 'revocations_unavailable', challenges: [] },
  });
  const read = function* (): Steps<RevocationListReading> {
    yield;
    return { entries: [], problem: undefined };
  };
  await list.take(read());
  expect(await verdict(on, 'alice')).toBe('allow');
});

describe('a logout token', () => {
  const both = [
    providerOf('idp', 'shop'),
    policyOf('shop', 'a.example', anybody),
    providerOf('idp', 'team-b'),
    policyOf('team-b', 'b.example', anybody),
  ];
  const receive = async (on: DecisionStand, namespace: string): Promise<unknown> =>
    on.engine.receive(
      { namespace, name: 'idp' },
      { kind: 'logout', token: await on.mint.mint('logout'), authorization: undefined },
    );

  test('ends the session for the namespace whose provider got it, and for no other', async () => {
    const on = await start(...both);
    expect([await verdict(on, 'alice'), await verdict(on, 'alice', 'b.example')]).toEqual(['allow', 'allow']);
    expect(await receive(on, 'shop')).toMatchObject({ kind: 'understood' });
    expect([await verdict(on, 'alice'), await verdict(on, 'bob'), await verdict(on, 'alice', 'b.example')]).toEqual([
      'token_revoked',
      'allow',
      'allow',
    ]);
  });

  test('of a cluster provider ends it everywhere', async () => {
    const on = await start(
      providerOf('idp', ''),
      providerOf('idp', 'shop'),
      policyOf('shop', 'a.example', anybody),
      policyOf('team-b', 'b.example', anybody, 'ClusterIdentityProvider'),
    );
    expect(await receive(on, '')).toMatchObject({ kind: 'understood' });
    expect([await verdict(on, 'alice'), await verdict(on, 'alice', 'b.example'), await verdict(on, 'bob')]).toEqual([
      'token_revoked',
      'token_revoked',
      'allow',
    ]);
  });

  test('counts once, and for a provider that exists', async () => {
    const on = await start(...both);
    await receive(on, 'shop');
    expect(await receive(on, 'shop')).toMatchObject({ kind: 'refused', error: 'invalid_request' });
    expect(await receive(on, 'team-c')).toMatchObject({ kind: 'refused', error: 'not_found' });
  });

  test('is no access token', async () => {
    const on = await start(
      providerOf('idp', 'shop').replace('audiences: [api]', 'audiences: [api, web]'),
      policyOf('shop', 'a.example', anybody),
    );
    expect(await verdict(on, 'logout')).toBe('token_type');
  });
});

describe('what issuers signal', () => {
  test('decides conditions, at the very next request', async () => {
    const on = await start(providerOf('idp', 'shop'), policyOf('shop', 'a.example', calm));
    expect([await verdict(on, 'alice'), await verdict(on, 'bob')]).toEqual(['allow', 'allow']);
    await on.engine.revocations.add('events', [], [signalOf({ riskLevel: 'HIGH' })]);
    expect([await verdict(on, 'alice'), await verdict(on, 'bob')]).toEqual(['condition_failed', 'allow']);
  });

  test('what nobody has signalled is an error where a condition asks for it, and denies', async () => {
    const on = await start(providerOf('idp', 'shop'), policyOf('shop', 'a.example', known));
    await on.engine.revocations.add('events', [], [signalOf({ deviceCompliance: 'compliant' })]);
    expect([await verdict(on, 'alice'), await verdict(on, 'bob')]).toEqual(['allow', 'condition_error']);
  });

  test('a misspelt signal is a problem of the policy', async () => {
    const misspelt = calm.replaceAll('riskLevel', 'riskLevell');
    const on = await start(providerOf('idp', 'shop'), policyOf('shop', 'a.example', misspelt));
    const status = on.engine.status().documents.find(({ kind }) => kind === 'AccessPolicy');
    expect(status?.problems.map(({ code, message }) => `${code} ${message}`).join()).toMatch(
      /invalid-expression.*riskLevell/,
    );
  });

  test('a step-up from before things got worse is none; one from after is', async () => {
    const on = await start(providerOf('idp', 'shop'), policyOf('shop', 'a.example', fresh));
    expect(await verdict(on, 'alice')).toBe('allow');
    await on.engine.revocations.add('events', [], [signalOf({ riskLevel: 'MEDIUM', worsenedAt: now })]);
    const decision = await ask(on, 'alice');
    expect(decision).toMatchObject({ status: 401, denial: { code: 'insufficient_user_authentication' } });
    expect([await verdict(on, 'again'), await verdict(on, 'bob')]).toEqual(['allow', 'allow']);
  });
});

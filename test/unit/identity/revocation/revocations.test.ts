import { describe, expect, test } from 'vitest';
import type { Identity } from '../../../../src/core/identity.ts';
import type { Revocation, Signal } from '../../../../src/core/revocation.ts';
import type { Revocations } from '../../../../src/phases/identity/revocation/revocations.ts';
import { issuer, startSeconds } from '../identity-fixtures.ts';
import { createWorld, identityOf, ofIssuer, provider, revocationOf } from './revocation-world.ts';

describe('what is revoked is refused, and nothing beside it', () => {
  const claims = {
    sub: 'alice',
    jti: 'token-1',
    sid: 'session-1',
    iat: startSeconds,
    email: 'Alice@acme.example',
  };
  const rows: readonly [string, Partial<Revocation>, Partial<Identity>][] = [
    ['one token', { target: 'jti', value: 'token-1' }, { claims: { ...claims, jti: 'token-2' } }],
    ['a session', { target: 'sid', value: 'session-1' }, { claims: { ...claims, sid: 'session-2' } }],
    ['a subject', { target: 'sub', value: 'alice' }, { subject: 'bob', claims: { ...claims, sub: 'bob' } }],
    ['a client', { target: 'client', value: 'web' }, { clientId: 'batch' }],
    [
      'an address, in any case',
      { target: 'email', value: 'alice@acme.example' },
      { claims: { ...claims, email: 'al@acme.example' } },
    ],
    [
      'a subject up to a moment',
      { target: 'sub', value: 'alice', issuedBefore: startSeconds + 1 },
      { claims: { ...claims, iat: startSeconds + 1 } },
    ],
    [
      'a client up to a moment',
      { target: 'client', value: 'web', issuedBefore: startSeconds + 1 },
      { claims: { ...claims, iat: startSeconds + 1 } },
    ],
    [
      'of one provider',
      { scope: { issuer: '', namespace: '', provider: 'shop/okta' } },
      { subject: 'bob', claims: { ...claims, sub: 'bob' } },
    ],
    [
      'of an issuer in one namespace',
      { scope: { issuer, namespace: 'shop', provider: '' } },
      { issuer: 'https://other.example' },
    ],
  ];
  test.each(rows)('%s', async (_name, revocation, other) => {
    const { revocations, verdict } = createWorld();
    expect(verdict()).toBe('allow');
    await revocations.add('admin', [revocationOf(revocation)]);
    expect([verdict(), verdict(other)]).toEqual(['token_revoked', 'allow']);
  });

  test('a provider of another namespace is not concerned by what one namespace was told', async () => {
    const { revocations, verdict } = createWorld();
    await revocations.add('events', [revocationOf({ scope: { issuer, namespace: 'shop', provider: '' } })]);
    const others = [
      { namespace: 'team-b', name: 'okta' },
      { namespace: '', name: 'okta' },
    ];
    expect([verdict(), ...others.map((of) => verdict({}, of))]).toEqual(['token_revoked', 'allow', 'allow']);
  });

  test('the claim sub counts where the provider takes its subjects elsewhere', async () => {
    const { revocations, verdict } = createWorld();
    await revocations.add('admin', [revocationOf({ value: 'user-1' })]);
    const named = (sub: string): Partial<Identity> => ({
      subject: 'alice@acme.example',
      claims: { sub },
    });
    expect([verdict(named('user-1')), verdict(named('user-2'))]).toEqual(['token_revoked', 'allow']);
  });

  test('a credential that does not say when it was issued was issued before', async () => {
    const { revocations, verdict } = createWorld();
    await revocations.add('admin', [revocationOf({ issuedBefore: startSeconds })]);
    expect([verdict({ claims: undefined }), verdict()]).toEqual(['token_revoked', 'allow']);
  });

  test('where a session ends, tokens that do not say theirs end with it, and those of other sessions do not', async () => {
    const { revocations, verdict } = createWorld();
    const moment = {
      target: 'subWithoutSid',
      value: 'alice',
      issuedBefore: startSeconds + 1,
    } as const;
    await revocations.add('logout', [revocationOf({ target: 'sid', value: 'session-1' }), revocationOf(moment)]);
    const { sid: _sid, ...sessionless } = claims;
    const verdicts = [claims, sessionless, { ...claims, sid: 'session-2' }].map((seen) => verdict({ claims: seen }));
    expect(verdicts).toEqual(['token_revoked', 'token_revoked', 'allow']);
  });

  test.each([
    ['null', null],
    ['an empty text', ''],
    ['a number', 17],
  ] as const)('a token whose sid is %s says no session, so it ends with a session of its user', async (_name, sid) => {
    const { revocations, verdict } = createWorld();
    const moment = {
      target: 'subWithoutSid',
      value: 'alice',
      issuedBefore: startSeconds + 1,
    } as const;
    await revocations.add('logout', [revocationOf({ target: 'sid', value: 'session-1' }), revocationOf(moment)]);
    const verdicts = [sid, 'session-2'].map((said) => verdict({ claims: { ...claims, sid: said } }));
    expect(verdicts).toEqual(['token_revoked', 'allow']);
  });

  test('a client is known by azp where client_id names none', async () => {
    const { revocations, verdict } = createWorld();
    await revocations.add('admin', [revocationOf({ target: 'client', value: 'leaked' })]);
    const azp = { ...claims, azp: 'leaked' };
    expect([
      verdict({ clientId: '', claims: azp }),
      verdict({ clientId: 'web', claims: azp }),
      verdict({ clientId: '', claims }),
    ]).toEqual(['token_revoked', 'allow', 'allow']);
  });

  test('two moments of one subject: the later one counts, in either order', async () => {
    for (const moments of [
      [5, 20],
      [20, 5],
    ]) {
      const { revocations, verdict } = createWorld();
      for (const moment of moments)
        await revocations.add('admin', [revocationOf({ issuedBefore: startSeconds + moment })]);
      const issued = (seconds: number): string => verdict({ claims: { iat: startSeconds + seconds } });
      expect([issued(10), issued(20)]).toEqual(['token_revoked', 'allow']);
    }
  });
});

describe('how long it is kept', () => {
  test('it goes when the tokens that it concerns have ended, and not before', async () => {
    const { revocations, verdict, time } = createWorld();
    await revocations.add('admin', [revocationOf({})]);
    await time.advance(1199_000);
    expect([verdict(), revocations.status().sources]).toMatchObject([
      'token_revoked',
      [{ source: 'admin', entries: 1 }],
    ]);
    await time.advance(3_000);
    expect([verdict(), revocations.status().sources]).toMatchObject(['allow', [{ source: 'admin', entries: 0 }]]);
  });

  test('without an end it is kept for the retention', async () => {
    const { revocations, verdict, time } = createWorld({ retentionMs: 60_000 });
    await revocations.add('logout', [revocationOf({ expiresAt: undefined })]);
    await time.advance(650_000);
    expect(verdict()).toBe('token_revoked');
    await time.advance(20_000);
    expect(verdict()).toBe('allow');
  });

  test('a wall clock that jumps ahead, or is set back, takes nothing away before its time', async () => {
    const { revocations, verdict, time } = createWorld();
    await revocations.add('admin', [revocationOf({})]);
    time.setWall(startSeconds + 100_000);
    await time.advance(10_000);
    expect(verdict()).toBe('token_revoked');
    time.setWall(startSeconds);
    await time.advance(5_000);
    expect(verdict()).toBe('token_revoked');
    await time.advance(1_500_000);
    expect(verdict()).toBe('allow');
  });
});

describe('what issuers signal beside tokens', () => {
  const signalOf = (facts: Signal['facts'], at = startSeconds, changes: Partial<Signal> = {}): Signal => ({
    scope: ofIssuer,
    target: 'sub',
    value: 'alice',
    facts,
    at,
    ...changes,
  });
  const signalsOf = (revocations: Revocations, changes: Partial<Identity> = {}): Identity['signals'] => {
    const result = revocations.reviewer(provider)({
      identity: identityOf(changes),
    });
    return 'identity' in result ? result.identity.signals : undefined;
  };

  test('stands at the identity of whom it is about, and of nobody else', async () => {
    const { revocations } = createWorld();
    await revocations.add('events', [], [signalOf({ riskLevel: 'HIGH', worsenedAt: startSeconds })]);
    const bob = { subject: 'bob', claims: undefined };
    expect([signalsOf(revocations), signalsOf(revocations, bob)]).toEqual([
      { riskLevel: 'HIGH', worsenedAt: startSeconds },
      undefined,
    ]);
  });

  test('the newest of a fact counts, whatever comes last', async () => {
    const { revocations } = createWorld();
    const signals = [
      signalOf({ riskLevel: 'LOW' }, startSeconds + 5),
      signalOf({ riskLevel: 'HIGH', worsenedAt: startSeconds }, startSeconds),
      signalOf({ deviceCompliance: 'compliant' }, startSeconds - 50),
    ];
    for (const signal of signals) await revocations.add('events', [], [signal]);
    expect(signalsOf(revocations)).toEqual({
      riskLevel: 'LOW',
      deviceCompliance: 'compliant',
      worsenedAt: startSeconds,
    });
  });

  test('a fact about one session is none about another', async () => {
    const { revocations } = createWorld();
    await revocations.add(
      'events',
      [],
      [
        signalOf({ deviceCompliance: 'not-compliant' }, startSeconds, {
          target: 'sid',
          value: 'session-1',
        }),
        signalOf({ deviceCompliance: 'compliant' }, startSeconds + 9, {
          target: 'sid',
          value: 'session-2',
        }),
      ],
    );
    const other = { claims: { sub: 'alice', sid: 'session-2' } };
    expect([signalsOf(revocations), signalsOf(revocations, other)]).toEqual([
      { deviceCompliance: 'not-compliant' },
      { deviceCompliance: 'compliant' },
    ]);
  });

  test('a disabled account is denied by itself until it is enabled', async () => {
    const { revocations, verdict } = createWorld();
    await revocations.add('events', [], [signalOf({ accountDisabled: true })]);
    expect(verdict()).toBe('token_revoked');
    await revocations.add('events', [], [signalOf({ accountDisabled: false }, startSeconds + 1)]);
    expect(verdict()).toBe('allow');
    await revocations.add('events', [], [signalOf({ accountDisabled: true }, startSeconds - 1)]);
    expect(verdict()).toBe('allow');
  });

  test('a disabled account stays so however long ago it was said; other facts pass', async () => {
    const { revocations, verdict, time } = createWorld({ signalRetentionMs: 60_000 });
    await revocations.add('events', [], [signalOf({ accountDisabled: true }), signalOf({ riskLevel: 'HIGH' })]);
    await revocations.add('events', [], [signalOf({ riskLevel: 'HIGH' }, startSeconds, { value: 'bob' })]);
    const bob = { subject: 'bob', claims: { sub: 'bob' } };
    expect([verdict(), signalsOf(revocations, bob)]).toEqual(['token_revoked', { riskLevel: 'HIGH' }]);
    await time.advance(700_000);
    expect([verdict(), signalsOf(revocations, bob)]).toEqual(['token_revoked', undefined]);
    await revocations.add('events', [], [signalOf({ accountDisabled: false }, startSeconds + 700)]);
    expect(verdict()).toBe('allow');
    await time.advance(700_000);
    await revocations.add('events', [], [signalOf({ accountDisabled: true }, startSeconds)]);
    expect(verdict()).toBe('allow');
  });

  test('nothing signalled: the identity is the very same', async () => {
    const { revocations } = createWorld();
    await revocations.add('admin', [revocationOf({ value: 'bob' })]);
    const verified = { identity: identityOf() };
    expect(revocations.reviewer(provider)(verified)).toBe(verified);
  });
});

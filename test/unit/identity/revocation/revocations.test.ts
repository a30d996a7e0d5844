import { afterEach, describe, expect, test } from 'vitest';
import type { Identity } from '../../../../src/core/identity.ts';
import type { SharedList, SharedListChange } from '../../../../src/core/ports.ts';
import type {
  Revocation,
  RevocationListHandle,
  RevocationListReading,
  Signal,
} from '../../../../src/core/revocation.ts';
import {
  defaultRevocationSettings,
  type RevocationSettings,
} from '../../../../src/phases/identity/revocation/revocation-settings.ts';
import { createRevocations, type Revocations } from '../../../../src/phases/identity/revocation/revocations.ts';
import type { Steps } from '../../../../src/std/steps.ts';
import { issuer, manualTime, recordingLog, startSeconds, verdictOf, type ManualTime } from '../identity-fixtures.ts';

const provider = { namespace: 'shop', name: 'okta' };
const ofIssuer = { issuer, namespace: '', provider: '' };

function identityOf(changes: Partial<Identity> = {}): Identity {
  return {
    authenticated: true,
    subject: 'alice',
    issuer,
    provider: 'okta',
    clientId: 'web',
    scopes: [],
    roles: [],
    claims: { sub: 'alice', jti: 'token-1', sid: 'session-1', iat: startSeconds, email: 'Alice@acme.example' },
    expiresAt: startSeconds + 600,
    ...changes,
  };
}

function revocationOf(changes: Partial<Revocation>): Revocation {
  return {
    scope: ofIssuer,
    target: 'sub',
    value: 'alice',
    issuedBefore: undefined,
    expiresAt: startSeconds + 600,
    ...changes,
  };
}

/** Nobody else waits here, so it is in force at once. */
function give(list: RevocationListHandle, entries: readonly Revocation[], problem: string | undefined): void {
  const read = function* (): Steps<RevocationListReading> {
    yield;
    return { entries, problem };
  };
  void list.take(read());
}

const open: Revocations[] = [];
afterEach(() => open.splice(0).forEach((revocations) => revocations.close()));

interface World {
  readonly revocations: Revocations;
  readonly time: ManualTime;
  readonly log: ReturnType<typeof recordingLog>;
  /** What becomes of the identity, as the provider vouches for it. */
  readonly verdict: (
    identity?: Partial<Identity>,
    of?: { readonly namespace: string; readonly name: string },
  ) => string;
}

function create(settings: Partial<RevocationSettings> = {}, shared?: SharedList, time = manualTime()): World {
  const log = recordingLog();
  const revocations = createRevocations(
    { ...defaultRevocationSettings, ...settings },
    { ...time, logger: log, shared },
  );
  open.push(revocations);
  return {
    revocations,
    time,
    log,
    verdict: (identity, of = provider) => verdictOf(revocations.reviewer(of)({ identity: identityOf(identity) })),
  };
}

describe('what is revoked is refused, and nothing beside it', () => {
  const claims = { sub: 'alice', jti: 'token-1', sid: 'session-1', iat: startSeconds, email: 'Alice@acme.example' };
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
    const { revocations, verdict } = create();
    expect(verdict()).toBe('allow');
    await revocations.add('admin', [revocationOf(revocation)]);
    expect([verdict(), verdict(other)]).toEqual(['token_revoked', 'allow']);
  });

  test('a provider of another namespace is not concerned by what one namespace was told', async () => {
    const { revocations, verdict } = create();
    await revocations.add('events', [revocationOf({ scope: { issuer, namespace: 'shop', provider: '' } })]);
    const others = [
      { namespace: 'team-b', name: 'okta' },
      { namespace: '', name: 'okta' },
    ];
    expect([verdict(), ...others.map((of) => verdict({}, of))]).toEqual(['token_revoked', 'allow', 'allow']);
  });

  test('the claim sub counts where the provider takes its subjects elsewhere', async () => {
    const { revocations, verdict } = create();
    await revocations.add('admin', [revocationOf({ value: 'user-1' })]);
    const named = (sub: string): Partial<Identity> => ({ subject: 'alice@acme.example', claims: { sub } });
    expect([verdict(named('user-1')), verdict(named('user-2'))]).toEqual(['token_revoked', 'allow']);
  });

  test('a credential that does not say when it was issued was issued before', async () => {
    const { revocations, verdict } = create();
    await revocations.add('admin', [revocationOf({ issuedBefore: startSeconds })]);
    expect([verdict({ claims: undefined }), verdict()]).toEqual(['token_revoked', 'allow']);
  });

  test('where a session ends, tokens that do not say theirs end with it, and those of other sessions do not', async () => {
    const { revocations, verdict } = create();
    const moment = { target: 'subWithoutSid', value: 'alice', issuedBefore: startSeconds + 1 } as const;
    await revocations.add('logout', [revocationOf({ target: 'sid', value: 'session-1' }), revocationOf(moment)]);
    const { sid: _sid, ...sessionless } = claims;
    const verdicts = [claims, sessionless, { ...claims, sid: 'session-2' }].map((seen) => verdict({ claims: seen }));
    expect(verdicts).toEqual(['token_revoked', 'token_revoked', 'allow']);
  });

  test.each([['null', null], ['an empty text', ''], ['a number', 17]] as const)(
    'a token whose sid is %s says no session, so it ends with a session of its user',
    async (_name, sid) => {
      const { revocations, verdict } = create();
      const moment = { target: 'subWithoutSid', value: 'alice', issuedBefore: startSeconds + 1 } as const;
      await revocations.add('logout', [revocationOf({ target: 'sid', value: 'session-1' }), revocationOf(moment)]);
      const verdicts = [sid, 'session-2'].map((said) => verdict({ claims: { ...claims, sid: said } }));
      expect(verdicts).toEqual(['token_revoked', 'allow']);
    },
  );

  test('a client is known by azp where client_id names none', async () => {
    const { revocations, verdict } = create();
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
      const { revocations, verdict } = create();
      for (const moment of moments)
        await revocations.add('admin', [revocationOf({ issuedBefore: startSeconds + moment })]);
      const issued = (seconds: number): string => verdict({ claims: { iat: startSeconds + seconds } });
      expect([issued(10), issued(20)]).toEqual(['token_revoked', 'allow']);
    }
  });
});

describe('how long it is kept', () => {
  test('it goes when the tokens that it concerns have ended, and not before', async () => {
    const { revocations, verdict, time } = create();
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
    const { revocations, verdict, time } = create({ retentionMs: 60_000 });
    await revocations.add('logout', [revocationOf({ expiresAt: undefined })]);
    await time.advance(650_000);
    expect(verdict()).toBe('token_revoked');
    await time.advance(20_000);
    expect(verdict()).toBe('allow');
  });

  test('a wall clock that jumps ahead, or is set back, takes nothing away before its time', async () => {
    const { revocations, verdict, time } = create();
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

describe('where there is no more room', () => {
  const many = (count: number): Revocation[] =>
    Array.from({ length: count }, (_, index) => revocationOf({ target: 'jti', value: `t-${index}` }));

  test('the admin call is told so, and what was there stays in force', async () => {
    const { revocations, verdict } = create({ maxEntries: 3 });
    expect(await revocations.add('admin', many(3))).toMatchObject({ kind: 'kept', isWidened: false });
    expect(await revocations.add('admin', [revocationOf({})])).toEqual({ kind: 'full' });
    expect([verdict(), verdict({ claims: { jti: 't-1' } })]).toEqual(['allow', 'token_revoked']);
  });

  test('an issuer gets everything up to now revoked, which is told, and then there is room again', async () => {
    const { revocations, verdict, log, time } = create({ maxEntries: 3 });
    await revocations.add('events', many(3));
    expect(
      await revocations.add('events', [revocationOf({ target: 'sid', value: 'other', issuedBefore: startSeconds })]),
    ).toMatchObject({
      kind: 'kept',
      isWidened: true,
    });
    expect([verdict(), verdict({ issuer: 'https://other.example' })]).toEqual(['token_revoked', 'allow']);
    expect(verdict({ claims: { iat: startSeconds + 1 } })).toBe('allow');
    expect(log.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      expect.stringContaining('error the list of revocations is full'),
    ]);
    expect([revocations.status().widened, revocations.status().sources[0]?.entries]).toEqual([1, 1]);
    await time.advance(1300_000);
    expect(verdict()).toBe('allow');
  });

  test('who is revoked whenever the token was issued stays so when the issuer is widened', async () => {
    const { revocations, verdict } = create({ maxEntries: 3 });
    await revocations.add('events', [revocationOf({}), ...many(3)]);
    expect(verdict({ claims: { iat: startSeconds + 100 } })).toBe('token_revoked');
  });

  test('what has ended makes room', async () => {
    const { revocations, time, verdict } = create({ maxEntries: 3 });
    await revocations.add('admin', many(3));
    time.setWall(startSeconds + 1300);
    await time.advance(1300_000);
    expect(await revocations.add('admin', [revocationOf({ expiresAt: startSeconds + 9000 })])).toMatchObject({
      kind: 'kept',
    });
    expect(verdict()).toBe('token_revoked');
  });
});

describe('a list that others keep', () => {
  test('denies with 503 until it was read, and once it was not read for longer than the grace', async () => {
    const { revocations, verdict, time } = create({ graceMs: 60_000 });
    const list = revocations.openList('configMap');
    expect(verdict()).toBe('revocations_unavailable');
    give(list, [], undefined);
    expect(verdict()).toBe('allow');
    list.fail('the API server does not answer');
    await time.advance(59_000);
    expect(verdict()).toBe('allow');
    await time.advance(2_000);
    expect(verdict()).toBe('revocations_unavailable');
    expect(revocations.status().sources).toEqual([
      {
        source: 'configMap',
        entries: 0,
        failure: 'it was last read 61 s ago: the API server does not answer',
        problem: undefined,
      },
    ]);
    list.confirm();
    expect(verdict()).toBe('allow');
  });

  test('with Ignore what is known of it counts, and nothing is denied for what is not', async () => {
    const { revocations, verdict } = create({ whenUnavailable: 'Ignore', graceMs: 0 });
    const list = revocations.openList('file');
    expect(verdict()).toBe('allow');
    give(list, [revocationOf({})], undefined);
    list.fail('gone');
    expect([verdict(), verdict({ subject: 'bob', claims: undefined })]).toEqual(['token_revoked', 'allow']);
  });

  test('a wall clock that is set is no outage', async () => {
    const { revocations, verdict, time } = create({ graceMs: 60_000 });
    give(revocations.openList('file'), [], undefined);
    time.setWall(startSeconds + 1_000_000);
    expect(verdict()).toBe('allow');
  });

  test('what is taken out of it counts again', () => {
    const { revocations, verdict } = create();
    const list = revocations.openList('file');
    give(list, [revocationOf({ expiresAt: undefined })], undefined);
    expect(verdict()).toBe('token_revoked');
    give(list, [], undefined);
    expect(verdict()).toBe('allow');
  });

  test('with a mistake in it nothing that it held is lost', () => {
    const { revocations, verdict, log } = create();
    const list = revocations.openList('file');
    give(list, [revocationOf({})], undefined);
    give(list, [revocationOf({ value: 'bob' })], 'line 1 is no JSON (syntax)');
    const bob = { subject: 'bob', claims: undefined };
    expect([verdict(), verdict(bob), verdict({ subject: 'carol', claims: undefined })]).toEqual([
      'token_revoked',
      'token_revoked',
      'allow',
    ]);
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', fields: { problem: 'line 1 is no JSON (syntax)' } });
    give(list, [revocationOf({ value: 'bob' })], undefined);
    expect([verdict(), verdict(bob)]).toEqual(['allow', 'token_revoked']);
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
    const result = revocations.reviewer(provider)({ identity: identityOf(changes) });
    return 'identity' in result ? result.identity.signals : undefined;
  };

  test('stands at the identity of whom it is about, and of nobody else', async () => {
    const { revocations } = create();
    await revocations.add('events', [], [signalOf({ riskLevel: 'HIGH', worsenedAt: startSeconds })]);
    const bob = { subject: 'bob', claims: undefined };
    expect([signalsOf(revocations), signalsOf(revocations, bob)]).toEqual([
      { riskLevel: 'HIGH', worsenedAt: startSeconds },
      undefined,
    ]);
  });

  test('the newest of a fact counts, whatever comes last', async () => {
    const { revocations } = create();
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
    const { revocations } = create();
    await revocations.add(
      'events',
      [],
      [
        signalOf({ deviceCompliance: 'not-compliant' }, startSeconds, { target: 'sid', value: 'session-1' }),
        signalOf({ deviceCompliance: 'compliant' }, startSeconds + 9, { target: 'sid', value: 'session-2' }),
      ],
    );
    const other = { claims: { sub: 'alice', sid: 'session-2' } };
    expect([signalsOf(revocations), signalsOf(revocations, other)]).toEqual([
      { deviceCompliance: 'not-compliant' },
      { deviceCompliance: 'compliant' },
    ]);
  });

  test('a disabled account is denied by itself until it is enabled', async () => {
    const { revocations, verdict } = create();
    await revocations.add('events', [], [signalOf({ accountDisabled: true })]);
    expect(verdict()).toBe('token_revoked');
    await revocations.add('events', [], [signalOf({ accountDisabled: false }, startSeconds + 1)]);
    expect(verdict()).toBe('allow');
    await revocations.add('events', [], [signalOf({ accountDisabled: true }, startSeconds - 1)]);
    expect(verdict()).toBe('allow');
  });

  test('nothing signalled: the identity is the very same', async () => {
    const { revocations } = create();
    await revocations.add('admin', [revocationOf({ value: 'bob' })]);
    const verified = { identity: identityOf() };
    expect(revocations.reviewer(provider)(verified)).toBe(verified);
  });
});

describe('a list that replicas share', () => {
  test('what one replica is told the other refuses, facts too', async () => {
    const store = createStore();
    const [one, other] = [create({}, store.list()), create({}, store.list())];
    expect(await one.revocations.add('admin', [revocationOf({ issuedBefore: startSeconds + 1 })])).toEqual({
      kind: 'kept',
      isShared: true,
      isWidened: false,
    });
    const signal: Signal = {
      scope: ofIssuer,
      target: 'sub',
      value: 'bob',
      facts: { accountDisabled: true },
      at: startSeconds,
    };
    await one.revocations.add('events', [], [signal]);
    const bob = { subject: 'bob', claims: { iat: startSeconds } };
    const carol = { subject: 'carol', claims: { iat: startSeconds } };
    expect([other.verdict(), other.verdict(bob), other.verdict(carol)]).toEqual([
      'token_revoked',
      'token_revoked',
      'allow',
    ]);
    expect(create({}, store.list()).verdict()).toBe('token_revoked');
  });

  test('a store that does not take it: this process refuses all the same, and the caller is told to come again', async () => {
    const store = createStore();
    const { revocations, verdict } = create({}, store.list());
    store.down = 'Redis does not answer';
    expect(await revocations.add('logout', [revocationOf({})])).toEqual({ kind: 'not-shared' });
    expect(verdict()).toBe('token_revoked');
  });

  test('a store that was never read denies, and one that is gone for longer than the grace', async () => {
    const store = createStore();
    store.down = 'Redis does not answer';
    const { verdict, time } = create({ graceMs: 10_000 }, store.list());
    expect(verdict()).toBe('revocations_unavailable');
    store.down = undefined;
    await time.advance(1000);
    expect(verdict()).toBe('allow');
    store.down = 'Redis does not answer';
    await time.advance(9000);
    expect(verdict()).toBe('allow');
    await time.advance(3000);
    expect(verdict()).toBe('revocations_unavailable');
  });
});

interface Store {
  down: string | undefined;
  list(): SharedList;
}

/** What several processes share. */
function createStore(): Store {
  const entries = new Map<string, number>();
  const listeners = new Set<(change: SharedListChange) => void>();
  const store: Store = {
    down: undefined,
    list: () => ({
      maxEntries: 1000,
      entries,
      add: async (entry, expiresAt) => {
        if (store.down !== undefined) throw new Error(store.down);
        entries.set(entry, expiresAt);
        for (const listener of listeners) listener({ added: [entry], ended: [] });
      },
      unreadable: () => store.down,
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      close: () => undefined,
    }),
  };
  return store;
}

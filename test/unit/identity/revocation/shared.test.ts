import { describe, expect, test } from 'vitest';
import type { SharedList } from '../../../../src/core/ports.ts';
import type { Revocation, Signal } from '../../../../src/core/revocation.ts';
import type { RevocationSettings } from '../../../../src/phases/identity/revocation/revocation-settings.ts';
import { systemClock } from '../../../../src/runtime/system-ports.ts';
import { createMemorySharedList } from '../../../../src/stores/memory-shared-list.ts';
import { issuer, manualTime, startSeconds } from '../identity-fixtures.ts';
import { createStore, createWorld, ofIssuer, revocationOf } from './revocation-world.ts';

describe('a list that replicas share', () => {
  test('what one replica is told the other refuses, facts too', async () => {
    const store = createStore();
    const [one, other] = [createWorld({}, { shared: store.list() }), createWorld({}, { shared: store.list() })];
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
    expect(createWorld({}, { shared: store.list() }).verdict()).toBe('token_revoked');
  });

  test('a store that does not take it: this process refuses all the same, and the caller is told to come again', async () => {
    const store = createStore();
    const { revocations, verdict } = createWorld({}, { shared: store.list() });
    store.down = 'Redis does not answer';
    expect(await revocations.add('logout', [revocationOf({})])).toEqual({
      kind: 'not-shared',
    });
    expect(verdict()).toBe('token_revoked');
  });

  test('a store that was never read denies, and one that is gone for longer than the grace', async () => {
    const store = createStore();
    store.down = 'Redis does not answer';
    const { verdict, time } = createWorld({ graceMs: 10_000 }, { shared: store.list() });
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

  test('who begins with the copy of somebody else while the store is gone has what is left of the grace', async () => {
    const store = createStore();
    store.down = 'Redis does not answer';
    const time = manualTime();
    const readAt = time.clock.monotonic() - 7000;
    const shared = { ...store.list(), readAgeMs: () => time.clock.monotonic() - readAt };
    const [copied, fresh] = [
      createWorld({ graceMs: 10_000 }, { shared, time }),
      createWorld({ graceMs: 10_000 }, { shared: { ...shared, readAgeMs: () => undefined }, time }),
    ];
    expect([copied.verdict(), fresh.verdict()]).toEqual(['allow', 'revocations_unavailable']);
    await time.advance(3000);
    expect(copied.verdict()).toBe('allow');
    await time.advance(1000);
    expect(copied.verdict()).toBe('revocations_unavailable');
  });
});

describe('what is shared is in force on every replica, or it is told that it is not', () => {
  const ofShop = { issuer, namespace: 'shop', provider: '' };
  const hour = 3_600_000;
  /** Two replicas, by one clock. */
  const replicas = (settings: Partial<RevocationSettings> = {}) => {
    const time = manualTime();
    const list: SharedList = { ...createMemorySharedList(time), among: 'replicas' };
    const [one, other] = [createWorld(settings, { shared: list, time }), createWorld(settings, { shared: list, time })];
    return { time, list, one, other };
  };

  test('one that is made to last longer lasts longer on the others too', async () => {
    const { time, one, other } = replicas({ retentionMs: 300_000 });
    const client = revocationOf({ target: 'client', value: 'web', expiresAt: undefined });
    await one.revocations.add('admin', [client]);
    await time.advance(250_000);
    await one.revocations.add('admin', [client]);
    await time.advance(1_000_000);
    expect([one.verdict(), other.verdict()]).toEqual(['token_revoked', 'token_revoked']);
    await time.advance(600_000);
    expect([one.verdict(), other.verdict()]).toEqual(['allow', 'allow']);
  });

  test('an entry that cannot be read names nobody knows whom, so everybody is denied for as long as it stands', async () => {
    const { time, list, other } = replicas();
    expect(other.verdict()).toBe('allow');
    await list.add('{"issuer":"https://idp.example","device":"d-1"}', time.clock.now() + 60_000);
    expect([other.verdict(), other.revocations.status().sources[0]?.failure]).toEqual([
      'revocations_unavailable',
      '1 of its entries cannot be read',
    ]);
    await time.advance(70_000);
    expect(other.verdict()).toBe('allow');
  });

  test('what no replica could read is not put there, and its sender is told', async () => {
    const { list, one, other } = replicas();
    const scope = { ...ofShop, issuer: 'my\tissuer' };
    expect(await one.revocations.add('logout', [revocationOf({ scope })])).toEqual({ kind: 'not-shared' });
    expect([one.verdict({ issuer: scope.issuer }), list.entries.size, other.verdict()]).toEqual([
      'token_revoked',
      0,
      'allow',
    ]);
    expect(await one.revocations.add('logout', [revocationOf({ scope: ofShop })])).toMatchObject({ isShared: true });
    expect(other.verdict()).toBe('token_revoked');
  });

  test('facts are shared whatever their order, and of an account that is disabled for good', async () => {
    const { list, one, other } = replicas();
    const facts = { worsenedAt: startSeconds, accountDisabled: true };
    await one.revocations.add(
      'events',
      [],
      [{ scope: ofShop, target: 'sub', value: 'alice', facts, at: startSeconds }],
    );
    expect([other.verdict(), [...list.entries.values()]]).toEqual(['token_revoked', [253_402_300_799_000]]);
  });

  test('a namespace that has used up its share of the store is told so, and nothing of it is put there', async () => {
    const { list, one, other } = replicas({ maxEntries: 1000 });
    const short = { ...list, maxEntries: 100 };
    const small = createWorld({ maxEntries: 1000 }, { shared: short });
    const sessions = (count: number, namespace: string, prefix: string): Revocation[] =>
      Array.from({ length: count }, (_, index) =>
        revocationOf({ scope: { ...ofShop, namespace }, target: 'sid', value: `${prefix}-${index}` }),
      );
    expect(await small.revocations.add('logout', sessions(24, 'evil', 'a'))).toMatchObject({ isShared: true });
    expect(await small.revocations.add('logout', sessions(2, 'evil', 'b'))).toEqual({ kind: 'full' });
    expect(list.entries.size).toBe(24);
    const own = revocationOf({ scope: ofShop, target: 'sid', value: 'session-1' });
    expect(await small.revocations.add('logout', [own])).toMatchObject({ isShared: true });
    expect([one.verdict(), other.verdict({ claims: { sid: 'a-1' } })]).toEqual(['token_revoked', 'allow']);
  });

  test('where one replica has no room for what a namespace has in it, that namespace alone is denied, until there is', async () => {
    const { time, list, other } = replicas();
    const narrow = createWorld({ maxEntries: 8 }, { shared: list, time });
    const put = (value: string, seconds: number): Promise<void> =>
      list.add(JSON.stringify({ issuer, namespace: 'evil', sid: value }), time.clock.now() + seconds * 1000);
    for (const value of ['a', 'b']) await put(value, 10);
    const evil = { namespace: 'evil', name: 'okta' };
    expect([narrow.verdict({}, evil), narrow.verdict()]).toEqual(['allow', 'allow']);
    await put('c', 3600);
    expect([narrow.verdict({}, evil), narrow.verdict(), other.verdict({}, evil)]).toEqual([
      'revocations_unavailable',
      'allow',
      'allow',
    ]);
    await time.advance(620_000);
    expect([narrow.verdict({}, evil), narrow.verdict({ claims: { sid: 'c' } }, evil)]).toEqual([
      'allow',
      'token_revoked',
    ]);
  });

  test('a long one counts as read once all of it is taken in, and lets others have their turn', async () => {
    const time = manualTime();
    const list = createMemorySharedList(time);
    const end = time.clock.now() + hour;
    for (let index = 0; index < 5000; index++) await list.add(JSON.stringify({ issuer, sub: `u-${index}` }), end);
    let pauses = 0;
    const pause = async (): Promise<void> => {
      pauses++;
      await new Promise((resolve) => setImmediate(resolve));
    };
    const { verdict } = createWorld({}, { shared: list, pause, time: { ...time, clock: systemClock } });
    const last = { subject: 'u-4999', claims: undefined };
    expect([verdict(), verdict(last)]).toEqual(['revocations_unavailable', 'revocations_unavailable']);
    await expect.poll(() => verdict(), { interval: 5 }).toBe('allow');
    expect([verdict(last), pauses > 1]).toEqual(['token_revoked', true]);
  });
});

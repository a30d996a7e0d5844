import { describe, expect, test } from 'vitest';
import type { Signal } from '../../../../src/core/revocation.ts';
import { startSeconds } from '../identity-fixtures.ts';
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
});

import { describe, expect, test } from 'vitest';
import type { Revocation, Signal } from '../../../../src/core/revocation.ts';
import { createRevocationTable } from '../../../../src/phases/identity/revocation/revocation-table.ts';
import { createRoom } from '../../../../src/phases/identity/revocation/room.ts';
import { issuer, manualTime, startSeconds } from '../identity-fixtures.ts';
import { createWorld, revocationOf } from './revocation-world.ts';

describe('where there is no more room', () => {
  const many = (count: number): Revocation[] =>
    Array.from({ length: count }, (_, index) => revocationOf({ target: 'jti', value: `t-${index}` }));

  test('the admin call is told so, and what was there stays in force', async () => {
    const { revocations, verdict } = createWorld({ maxEntries: 3 });
    expect(await revocations.add('admin', many(3))).toMatchObject({
      kind: 'kept',
      isWidened: false,
    });
    expect(await revocations.add('admin', [revocationOf({})])).toEqual({
      kind: 'full',
    });
    expect([verdict(), verdict({ claims: { jti: 't-1' } })]).toEqual(['allow', 'token_revoked']);
  });

  test('an issuer gets everything up to now revoked, which is told, and then there is room again', async () => {
    const { revocations, verdict, log, time } = createWorld({ maxEntries: 3 });
    await revocations.add('events', many(3));
    expect(
      await revocations.add('events', [
        revocationOf({
          target: 'sid',
          value: 'other',
          issuedBefore: startSeconds,
        }),
      ]),
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
    const { revocations, verdict } = createWorld({ maxEntries: 3 });
    await revocations.add('events', [revocationOf({}), ...many(3)]);
    expect(verdict({ claims: { iat: startSeconds + 100 } })).toBe('token_revoked');
  });

  test('what has ended makes room', async () => {
    const { revocations, time, verdict } = createWorld({ maxEntries: 3 });
    await revocations.add('admin', many(3));
    time.setWall(startSeconds + 1300);
    await time.advance(1300_000);
    expect(await revocations.add('admin', [revocationOf({ expiresAt: startSeconds + 9000 })])).toMatchObject({
      kind: 'kept',
    });
    expect(verdict()).toBe('token_revoked');
  });

  test('what was widened lasts as long as the last of what it took the place of', async () => {
    const { revocations, verdict, time } = createWorld({ maxEntries: 3 });
    const long = { target: 'jti', value: 'token-1', expiresAt: startSeconds + 2000 } as const;
    await revocations.add('events', [revocationOf(long), ...many(3)]);
    expect(revocations.status().widened).toBe(1);
    await time.advance(2500_000);
    expect(verdict()).toBe('token_revoked');
    await time.advance(200_000);
    expect(verdict()).toBe('allow');
  });

  test('it is up to a moment before which every token was issued, by a clock that is ahead too, and what it takes the place of', async () => {
    const issuedIn = (seconds: number) => ({ claims: { sub: 'bob', jti: 'other', iat: startSeconds + seconds } });
    const widenedBy = async (moment: number | undefined, clockSkew: number): Promise<readonly string[]> => {
      const { revocations, verdict } = createWorld({ maxEntries: 3 });
      const of = { namespace: 'shop', name: 'okta', clockSkew };
      expect(verdict(issuedIn(0), of)).toBe('allow');
      await revocations.add('events', many(3));
      const one = moment === undefined ? {} : { issuedBefore: startSeconds + moment };
      await revocations.add('events', [revocationOf({ target: 'sub', value: 'zoe', ...one })]);
      return [0, 25, 45, 70].map((seconds) => verdict(issuedIn(seconds), of).replace('token_revoked', 'no'));
    };
    expect(await widenedBy(1, 0)).toEqual(['no', 'allow', 'allow', 'allow']);
    expect(await widenedBy(1, 30)).toEqual(['no', 'no', 'allow', 'allow']);
    expect(await widenedBy(60, 30)).toEqual(['no', 'no', 'no', 'allow']);
    expect(await widenedBy(undefined, 30)).toEqual(['no', 'no', 'allow', 'allow']);
  });

  test('a moment that is far ahead stays that of whom it names', async () => {
    const { revocations, verdict } = createWorld({ maxEntries: 3 });
    await revocations.add('events', [revocationOf({ issuedBefore: startSeconds + 9000 }), ...many(3)]);
    const later = (sub: string) => ({ subject: sub, claims: { iat: startSeconds + 5000 } });
    expect([verdict(later('alice')), verdict(later('bob'))]).toEqual(['token_revoked', 'allow']);
  });
});

describe('one namespace does not use up what others need', () => {
  const scopeOf = (namespace: string) => ({ issuer, namespace, provider: '' });
  const sessions = (count: number, namespace: string, prefix = 's'): Revocation[] =>
    Array.from({ length: count }, (_, index) =>
      revocationOf({ scope: scopeOf(namespace), target: 'sid', value: `${prefix}-${index}` }),
    );

  test('it has a quarter of the room, and then it is told so, and nobody else', async () => {
    const { revocations, verdict } = createWorld({ maxEntries: 100 });
    expect(await revocations.add('logout', sessions(25, 'evil'))).toMatchObject({ kind: 'kept', isWidened: false });
    expect(await revocations.add('logout', sessions(1, 'evil', 'more'))).toEqual({ kind: 'full' });
    expect(await revocations.add('logout', sessions(25, 'shop'))).toMatchObject({ kind: 'kept', isWidened: false });
    expect(await revocations.add('logout', sessions(25, 'team-b'))).toMatchObject({ kind: 'kept', isWidened: false });
    expect(await revocations.add('logout', sessions(1, 'team-c'))).toEqual({ kind: 'full' });
    expect(await revocations.add('logout', [revocationOf({ target: 'sid', value: 'session-1' })])).toMatchObject({
      kind: 'kept',
      isWidened: false,
    });
    const of = (sid: string) => ({ claims: { sub: 'alice', sid, iat: startSeconds } });
    expect([verdict(of('session-1')), verdict(of('s-1')), verdict(of('other'))]).toEqual([
      'token_revoked',
      'token_revoked',
      'allow',
    ]);
  });

  test('where single tokens of it find no room all of it are revoked up to now, and none of another', async () => {
    const { revocations, verdict } = createWorld({ maxEntries: 100 });
    const tokens = Array.from({ length: 30 }, (_, index) =>
      revocationOf({ scope: scopeOf('evil'), target: 'jti', value: `t-${index}` }),
    );
    expect(await revocations.add('events', tokens)).toMatchObject({ kind: 'kept', isWidened: true });
    expect([verdict({}, { namespace: 'evil', name: 'okta' }), verdict()]).toEqual(['token_revoked', 'allow']);
  });

  test('nor does what its issuer signals, and who was disabled stays so', async () => {
    const { revocations, verdict } = createWorld({ maxEntries: 100 });
    const disabled = (value: string, namespace: string): Signal => ({
      scope: scopeOf(namespace),
      target: 'sub',
      value,
      facts: { accountDisabled: true },
      at: startSeconds,
    });
    const evil = Array.from({ length: 25 }, (_, index) => disabled(`u-${index}`, 'evil'));
    expect(await revocations.add('events', [], evil)).toMatchObject({ kind: 'kept' });
    expect(await revocations.add('events', [], [disabled('one more', 'evil')])).toEqual({ kind: 'full' });
    expect(await revocations.add('events', [], [disabled('alice', 'shop')])).toMatchObject({ kind: 'kept' });
    expect([verdict(), verdict({ subject: 'u-1', claims: undefined }, { namespace: 'evil', name: 'okta' })]).toEqual([
      'token_revoked',
      'token_revoked',
    ]);
  });

  test('what an operator revokes has all of the room', async () => {
    const { revocations } = createWorld({ maxEntries: 100 });
    expect(await revocations.add('admin', sessions(100, 'shop'))).toMatchObject({ kind: 'kept' });
  });
});

test('a full table costs no more with each entry that finds no room, whatever it can take the place of', () => {
  const { clock } = manualTime();
  const table = createRevocationTable({ room: createRoom(100_000, 'no shares'), clock, skew: () => 0 });
  for (let index = 0; index < 100_000; index++)
    table.add(revocationOf({ target: index % 2 === 0 ? 'sid' : 'jti', value: `v-${index}` }), 'widen');
  const started = performance.now();
  const outcomes = Array.from({ length: 60_000 }, (_, index) =>
    table.add(revocationOf({ target: 'sid', value: `more-${index}` }), 'widen'),
  );
  // The first takes the place of 50,000; each of the last would look at all of the others.
  expect(performance.now() - started).toBeLessThan(3000);
  expect([outcomes.indexOf('widened'), outcomes.indexOf('full'), table.size]).toEqual([0, 50_000, 100_001]);
});

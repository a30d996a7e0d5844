import { describe, expect, test } from 'vitest';
import type { RevocationListReading } from '../../../../src/core/revocation.ts';
import { systemClock } from '../../../../src/runtime/system-ports.ts';
import type { Steps } from '../../../../src/std/steps.ts';
import { manualTime, startSeconds } from '../identity-fixtures.ts';
import { createWorld, give, readingOf, revocationOf } from './revocation-world.ts';

const bob = { subject: 'bob', claims: undefined };
const carol = { subject: 'carol', claims: undefined };

describe('a list that others keep', () => {
  test('denies with 503 until it was read, and once it was not read for longer than the grace', async () => {
    const { revocations, verdict, time } = createWorld({ graceMs: 60_000 });
    const list = revocations.openList('configMap');
    expect(verdict()).toBe('revocations_unavailable');
    give(list, []);
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

  test('counts for what is left of the grace where somebody else has read it', async () => {
    const { revocations, verdict, time } = createWorld({ graceMs: 60_000 });
    const list = revocations.openList('configMap');
    void list.take(readingOf([]), 50_000);
    list.fail('the API server does not answer');
    expect([verdict(), verdict(bob)]).toEqual(['allow', 'allow']);
    await time.advance(9000);
    expect(verdict()).toBe('allow');
    await time.advance(2000);
    expect(verdict()).toBe('revocations_unavailable');
    // Longer ago than the grace: what it says counts, and who is not on it is not known.
    void list.take(readingOf([revocationOf({})]), 70_000);
    expect([verdict(), verdict(bob)]).toEqual(['token_revoked', 'revocations_unavailable']);
    list.confirm();
    expect([verdict(), verdict(bob)]).toEqual(['token_revoked', 'allow']);
  });

  test('with Ignore what is known of it counts, and nothing is denied for what is not', async () => {
    const { revocations, verdict } = createWorld({
      whenUnavailable: 'Ignore',
      graceMs: 0,
    });
    const list = revocations.openList('file');
    expect(verdict()).toBe('allow');
    give(list, [revocationOf({})]);
    list.fail('gone');
    expect([verdict(), verdict({ subject: 'bob', claims: undefined })]).toEqual(['token_revoked', 'allow']);
  });

  test('a wall clock that is set is no outage', async () => {
    const { revocations, verdict, time } = createWorld({ graceMs: 60_000 });
    give(revocations.openList('file'), []);
    time.setWall(startSeconds + 1_000_000);
    expect(verdict()).toBe('allow');
  });

  test('what is taken out of a ConfigMap counts again at once', () => {
    const { revocations, verdict } = createWorld();
    const list = revocations.openList('configMap');
    give(list, [revocationOf({ expiresAt: undefined })]);
    expect(verdict()).toBe('token_revoked');
    give(list, []);
    expect(verdict()).toBe('allow');
  });

  test('what is gone from a file has to be gone for a second: whoever writes in place empties it first', async () => {
    const { revocations, verdict, time } = createWorld();
    const list = revocations.openList('file');
    give(list, [revocationOf({ expiresAt: undefined })]);
    give(list, []);
    await time.advance(999);
    list.confirm();
    expect(verdict()).toBe('token_revoked');
    // A first part of what is being written, which counts at once.
    give(list, [revocationOf({ value: 'bob' })]);
    await time.advance(999);
    list.confirm();
    expect([verdict(), verdict(bob)]).toEqual(['token_revoked', 'token_revoked']);
    await time.advance(1);
    list.confirm();
    expect([verdict(), verdict(bob)]).toEqual(['allow', 'token_revoked']);
  });

  test('with a mistake in it nothing that it held is lost, nor what came with the mistake by a second one', () => {
    const { revocations, verdict, log } = createWorld();
    const list = revocations.openList('configMap');
    give(list, [revocationOf({})]);
    give(list, [revocationOf({ value: 'bob' })], 'line 1 is no JSON (syntax)');
    const seen = (): string[] => [verdict(), verdict(bob), verdict(carol)];
    expect(seen()).toEqual(['token_revoked', 'token_revoked', 'allow']);
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', fields: { problem: 'line 1 is no JSON (syntax)' } });
    give(list, [], 'line 2 is no JSON (syntax)');
    expect(seen()).toEqual(['token_revoked', 'token_revoked', 'allow']);
    give(list, [revocationOf({ value: 'bob' })]);
    expect(seen()).toEqual(['allow', 'token_revoked', 'allow']);
  });

  test('one that was never without a mistake was never read, and what can be read of it counts', () => {
    const { revocations, verdict } = createWorld();
    const list = revocations.openList('file');
    give(list, [revocationOf({})], 'line 2 is no JSON (syntax)');
    list.confirm();
    expect([verdict(), verdict(bob)]).toEqual(['token_revoked', 'revocations_unavailable']);
    expect(revocations.status().sources).toMatchObject([{ failure: 'line 2 is no JSON (syntax)' }]);
    give(list, [revocationOf({})]);
    expect([verdict(), verdict(bob)]).toEqual(['token_revoked', 'allow']);
  });

  test('one for which there is no room says nothing of who is not on it, until there is', () => {
    const { revocations, verdict } = createWorld({ maxEntries: 3 });
    const list = revocations.openList('configMap');
    const named = ['alice', 'u-1', 'u-2', 'u-3'].map((value) => revocationOf({ value }));
    give(list, named);
    expect([verdict(), verdict(bob)]).toEqual(['token_revoked', 'revocations_unavailable']);
    expect(revocations.status().sources).toMatchObject([
      { failure: 'there is room for 3 entries, and the list has more' },
    ]);
    give(list, named.slice(0, 3));
    expect([verdict(), verdict(bob)]).toEqual(['token_revoked', 'allow']);
  });

  test('what breaks off while it is read says nothing of who is not on it', async () => {
    const pause = (): Promise<void> => Promise.resolve();
    const { revocations, verdict, log } = createWorld({}, { pause });
    const list = revocations.openList('configMap');
    await list.take(readingOf([revocationOf({})]));
    expect([verdict(), verdict(bob)]).toEqual(['token_revoked', 'allow']);
    // oxlint-disable-next-line require-yield -- it breaks off before its first step
    const broken = function* (): Steps<RevocationListReading> {
      throw new Error('no memory');
    };
    await list.take(broken());
    expect([verdict(), verdict(bob)]).toEqual(['token_revoked', 'revocations_unavailable']);
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', message: 'a list of revocations could not be taken in' });
    await list.take(readingOf([revocationOf({})]));
    expect([verdict(), verdict(bob)]).toEqual(['token_revoked', 'allow']);
  });

  test('a long one lets others have their turn, and is in force once all of it is', async () => {
    let pauses = 0;
    const pause = async (): Promise<void> => {
      pauses++;
      await new Promise((resolve) => setImmediate(resolve));
    };
    const time = { ...manualTime(), clock: systemClock };
    const { revocations, verdict } = createWorld({}, { pause, time });
    const list = revocations.openList('configMap');
    const many = Array.from({ length: 20_000 }, (_, index) =>
      revocationOf({ value: `u-${index}`, expiresAt: undefined }),
    );
    const state = { isDone: false };
    const first = list.take(readingOf([...many, revocationOf({ expiresAt: undefined })]));
    void first.then(() => (state.isDone = true));
    const meanwhile = new Set<string>();
    while (!state.isDone) {
      list.confirm();
      meanwhile.add(verdict(carol));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([...meanwhile, verdict(), verdict(carol), pauses > 3]).toEqual([
      'revocations_unavailable',
      'token_revoked',
      'allow',
      true,
    ]);
    void list.take(readingOf(many));
    await list.take(readingOf([revocationOf({ value: 'bob', expiresAt: undefined })]));
    expect([verdict(), verdict(bob)]).toEqual(['allow', 'token_revoked']);
  });
});

import { describe, expect, test } from 'vitest';
import { denial } from '../../../src/core/decision.ts';
import type { BasicUser } from '../../../src/phases/identity/basic/parse-htpasswd.ts';
import { createPasswordCache } from '../../../src/phases/identity/basic/password-cache.ts';
import { createVerdictCache } from '../../../src/phases/identity/service-account/verdict-cache.ts';
import { startSeconds, manualTime } from './identity-fixtures.ts';
import { goodAnswer, introspectionWorld, jsonResponse } from './introspection-fixtures.ts';

/** A machine that was suspended: the wall clock goes on, the monotonic one has stood still. */
describe('what is remembered ends by the wall clock too', () => {
  test('answers about tokens', async () => {
    const world = introspectionWorld({ cacheTtl: 60 });
    expect(await world.judge()).toBe('allow');
    world.answer(jsonResponse({ active: false }));
    world.time.setWall(startSeconds + 59);
    expect(await world.judge()).toBe('allow');
    world.time.setWall(startSeconds + 60);
    expect(await world.judge()).toBe('token_inactive');
    world.answer(jsonResponse(goodAnswer()));
    world.time.setWall(startSeconds + 64);
    expect(await world.judge()).toBe('token_inactive');
    world.time.setWall(startSeconds + 65);
    expect(await world.judge()).toBe('allow');
    world.provider().close();
  });

  test('answers about tokens end by the monotonic clock where the wall clock was set back', async () => {
    const world = introspectionWorld({ cacheTtl: 60 });
    expect(await world.judge()).toBe('allow');
    world.answer(jsonResponse({ active: false }));
    world.time.setWall(startSeconds - 20);
    expect(await world.judge()).toBe('allow');
    await world.time.advance(60_000);
    expect(await world.judge()).toBe('token_inactive');
    world.provider().close();
  });

  test('right passwords, and what the API server said', () => {
    const time = manualTime();
    const { clock } = time;
    const user: BasicUser = { name: 'a', text: 'x', hash: { kind: 'bcrypt', text: 'x', cost: 10 } };
    const passwords = createPasswordCache(clock, { maxEntries: 10, ttlMs: 10_000 });
    const verdicts = createVerdictCache(clock);
    const verdict = { denial: denial('token_inactive') };
    passwords.remember('digest', user);
    verdicts.set('key', verdict, 10_000);
    time.setWall(startSeconds + 9);
    expect([passwords.isRight('digest', user), verdicts.get('key')]).toEqual([true, verdict]);
    time.setWall(startSeconds + 10);
    expect([passwords.isRight('digest', user), verdicts.get('key')]).toEqual([false, undefined]);
  });
});

import { expect, test } from 'vitest';
import { createCallSlots } from '../../../src/std/call-slots.ts';
import { createCircuitBreaker, type CircuitBreaker } from '../../../src/std/circuit-breaker.ts';
import { manualTime, settle, type ManualTime } from '../identity/identity-fixtures.ts';

function start(fraction = 1): { readonly breaker: CircuitBreaker; readonly time: ManualTime } {
  const time = manualTime();
  const random = { id: () => '0', fraction: () => fraction };
  const limits = { failures: 3, pause: { firstMs: 1_000, maxMs: 3_000 } };
  return { time, breaker: createCircuitBreaker({ clock: time.clock, random, ...limits }) };
}

function fail(breaker: CircuitBreaker, times: number): void {
  for (let i = 0; i < times; i++) breaker.enter()?.failed();
}

test('failures that are not in a row open nothing', () => {
  const { breaker } = start();
  for (let i = 0; i < 10; i++) {
    fail(breaker, 2);
    breaker.enter()?.succeeded();
  }
  expect(breaker.isClosed).toBe(true);
  fail(breaker, 3);
  expect([breaker.isClosed, breaker.enter()]).toEqual([false, undefined]);
});

test('calls that say nothing neither open it nor make the failures before them forgotten', () => {
  const { breaker } = start();
  fail(breaker, 2);
  for (let i = 0; i < 10; i++) breaker.enter()?.abandoned();
  expect(breaker.isClosed).toBe(true);
  fail(breaker, 1);
  expect(breaker.isClosed).toBe(false);
});

test('one goes after the pause; each probe that fails doubles it up to the longest; one that does well closes', async () => {
  const { breaker, time } = start();
  fail(breaker, 3);
  for (const pause of [1_000, 2_000, 3_000, 3_000]) {
    await time.advance(pause - 1);
    expect(breaker.enter()).toBeUndefined();
    await time.advance(1);
    const probe = breaker.enter();
    expect([probe !== undefined, breaker.enter()]).toEqual([true, undefined]);
    probe?.failed();
  }
  await time.advance(3_000);
  breaker.enter()?.succeeded();
  expect(breaker.isClosed).toBe(true);
  // And the next time it begins with the short pause.
  fail(breaker, 3);
  await time.advance(1_000);
  expect(breaker.enter()).toBeDefined();
});

test('a probe that says nothing leaves the place to another', async () => {
  const { breaker, time } = start();
  fail(breaker, 3);
  await time.advance(1_000);
  breaker.enter()?.abandoned();
  expect(breaker.isClosed).toBe(false);
  breaker.enter()?.succeeded();
  expect(breaker.isClosed).toBe(true);
});

test('the pause is shorter by chance, and those who went before it opened do not make it longer', async () => {
  const { breaker, time } = start(0.5);
  const late = [breaker.enter(), breaker.enter(), breaker.enter()];
  fail(breaker, 3);
  for (const pass of late) pass?.failed();
  await time.advance(749);
  expect(breaker.enter()).toBeUndefined();
  await time.advance(1);
  expect(breaker.enter()).toBeDefined();
});

test('a failure that is certain opens it at once, for as long as was asked', async () => {
  const { breaker, time } = start();
  breaker.enter()?.failed({ isCertain: true, askedMs: 5_000 });
  expect([breaker.isClosed, breaker.admits]).toEqual([false, false]);
  await time.advance(4_999);
  expect(breaker.enter()).toBeUndefined();
  await time.advance(1);
  expect(breaker.admits).toBe(true);
  breaker.enter()?.succeeded();
  breaker.enter()?.failed({ askedMs: 5_000 });
  expect([breaker.isClosed, breaker.admits]).toEqual([true, true]);
});

test('slots: so many run, so many wait in their order and no longer than they said, the others go away', async () => {
  const time = manualTime();
  const slots = createCallSlots({ timers: time.timers, running: 1, waiting: 2 });
  const release = await slots.take(1_000);
  const order: string[] = [];
  const wait = (name: string, waitMs: number): Promise<void> =>
    slots.take(waitMs).then((mine) => {
      order.push(`${name} ${mine === undefined ? 'left' : 'went'}`);
      mine?.();
    });
  const all = [wait('a', 1_000), wait('b', 10_000), wait('c', 10_000)];
  await settle();
  expect(order).toEqual(['c left']);
  await time.advance(1_000);
  expect(order).toEqual(['c left', 'a left']);
  release?.();
  await Promise.all(all);
  expect(order).toEqual(['c left', 'a left', 'b went']);
  expect([time.pending(), await slots.take(0)]).toEqual([[], expect.any(Function)]);
});

test('slots: who waits is turned away together, and who comes afterwards waits as before', async () => {
  const time = manualTime();
  const slots = createCallSlots({ timers: time.timers, running: 1, waiting: 2 });
  const release = await slots.take(1_000);
  const waiting = [slots.take(1_000), slots.take(1_000)];
  slots.turnAway();
  expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
  const next = slots.take(1_000);
  release?.();
  expect(await next).toEqual(expect.any(Function));
});

import { describe, expect, test } from 'vitest';
import type { SharedList } from '../../../src/core/ports.ts';
import { createMemorySharedList } from '../../../src/stores/memory-shared-list.ts';
import { createRedisSharedList } from '../../../src/stores/redis-shared-list.ts';
import { manualTime, recordingLog, type ManualTime } from '../identity/identity-fixtures.ts';
import { createFakeRedis, type FakeRedis } from './fake-redis.ts';

const hour = 3_600_000;

/** A list of a replica of its own, read once. */
async function replica(redis: FakeRedis, time: ManualTime): Promise<SharedList> {
  const list = createRedisSharedList(redis.connect(), 'p:revoked', { ...time, logger: recordingLog() });
  await time.advance(1000);
  return list;
}

describe('what one adds the others have', () => {
  test('with an end that is no whole millisecond too', async () => {
    const [redis, time] = [createFakeRedis(), manualTime()];
    const [one, other] = [await replica(redis, time), await replica(redis, time)];
    const end = time.clock.now() + hour;
    await one.add('whole', end);
    await one.add('fraction', end + 0.25);
    expect([...other.entries]).toEqual([
      ['whole', end],
      ['fraction', end + 1],
    ]);
    const memory = createMemorySharedList(time);
    await memory.add('fraction', end + 0.25);
    expect(memory.entries.get('fraction')).toBe(end + 1);
  });

  test('is read where it stands when a message of it cannot be read', async () => {
    const [redis, time] = [createFakeRedis(), manualTime()];
    const list = await replica(redis, time);
    const end = String(time.clock.now() + hour);
    redis.run(['ZADD', 'p:revoked', 'GT', `${end}.5`, 'of another version']);
    redis.run(['INCR', 'v']);
    redis.run(['PUBLISH', 'p:revoked:added', `${end}.5 of another version`]);
    expect(list.entries.size).toBe(0);
    await time.advance(600);
    expect([...list.entries]).toEqual([['of another version', Number(end) + 1]]);
    const { readings } = redis;
    await time.advance(5000);
    expect([redis.readings, list.unreadable()]).toEqual([readings, undefined]);
  });

  test('page by page, where the ends are no whole milliseconds', async () => {
    const [redis, time] = [createFakeRedis(), manualTime()];
    const end = time.clock.now() + hour;
    for (let index = 0; index < 2500; index++)
      redis.run(['ZADD', 'p:revoked', 'GT', String(end + index / 1000), `entry ${index}`]);
    redis.run(['INCR', 'v']);
    expect((await replica(redis, time)).entries.size).toBe(2500);
  });

  test('one that is to last longer is told again, and one that is not is not', async () => {
    const [redis, time] = [createFakeRedis(), manualTime()];
    const [one, other] = [await replica(redis, time), await replica(redis, time)];
    const told: (readonly string[])[] = [];
    other.onChange(({ added }) => told.push(added));
    const end = time.clock.now() + hour;
    for (const later of [0, 5000, 1000]) await one.add('entry', end + later);
    expect([told, other.entries.get('entry')]).toEqual([[['entry'], ['entry']], end + 5000]);
  });
});

describe('a list of which something cannot be had is unreadable', () => {
  test('while Redis answers with an entry of another form, and no longer', async () => {
    const [redis, time] = [createFakeRedis(), manualTime()];
    redis.run(['ZADD', 'p:revoked', 'GT', String(time.clock.now() + hour), 'entry']);
    redis.run(['INCR', 'v']);
    redis.forge = () => [['entry', 'soon']];
    const list = await replica(redis, time);
    expect([list.unreadable(), list.entries.size]).toEqual(['the list was not read lately', 0]);
    redis.forge = undefined;
    await time.advance(1000);
    expect([list.unreadable(), list.entries.size]).toEqual([undefined, 1]);
  });

  test('as soon as one more comes than are held, until there is room and all was read again', async () => {
    const [redis, time] = [createFakeRedis(), manualTime()];
    const end = time.clock.now() + hour;
    const soon = time.clock.now() + 20_000;
    const list = await replica(redis, time);
    const { maxEntries } = list;
    // Ten of them end soon.
    for (let index = 0; index < maxEntries - 5; index++)
      redis.run(['ZADD', 'p:revoked', 'GT', String(index < 10 ? soon : end), `entry ${index}`]);
    redis.run(['INCR', 'v']);
    await time.advance(5000);
    expect([list.entries.size, list.unreadable()]).toEqual([maxEntries - 5, undefined]);
    const tell = (name: string): void => {
      redis.run(['ZADD', 'p:revoked', 'GT', String(end), name]);
      redis.run(['INCR', 'v']);
      redis.run(['PUBLISH', 'p:revoked:added', `${end} ${name}`]);
    };
    for (let index = 0; index < 4; index++) tell(`late ${index}`);
    expect(list.unreadable()).toBe(undefined);
    for (let index = 4; index < 7; index++) tell(`late ${index}`);
    expect([list.entries.has('late 6'), list.unreadable()]).toEqual([
      false,
      `the list has more than ${maxEntries} entries`,
    ]);
    await time.advance(10_000);
    expect(list.unreadable()).toBe(`the list has more than ${maxEntries} entries`);
    await time.advance(12_000);
    expect([list.entries.has('late 6'), list.unreadable()]).toEqual([true, undefined]);
  });
});

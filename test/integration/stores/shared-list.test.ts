import { afterEach, describe, expect, test } from 'vitest';
import type { Logger, SharedList } from '../../../src/core/ports.ts';
import { createMemorySharedList } from '../../../src/stores/memory-shared-list.ts';
import type { RedisConnection } from '../../../src/stores/redis-connection.ts';
import { createRedisSharedList } from '../../../src/stores/redis-shared-list.ts';
import { connectTo, isUp, storePorts } from '../support/redis-connection.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const hour = 3_600_000;

/** What every list owes, wherever it is kept. */
function describeList(make: () => Promise<SharedList>): void {
  test('holds what was added at once, until its end, and never for shorter than it was told', async () => {
    const list = await make();
    const changes: unknown[] = [];
    const stop = list.onChange((change) => changes.push(change));
    const end = Date.now() + hour;
    const added = list.add('jti a', end);
    expect(list.entries.get('jti a')).toBe(end);
    await added;
    await list.add('jti a', end - 1000);
    expect(list.entries.get('jti a')).toBe(end);
    await list.add('jti a', end + 1000);
    expect(list.entries.get('jti a')).toBe(end + 1000);
    expect(changes).toEqual([
      { added: ['jti a'], ended: [] },
      { added: ['jti a'], ended: [] },
    ]);
    stop();
    await list.add('jti b', end);
    expect([changes.length, [...list.entries.keys()], list.unreadable()]).toEqual([2, ['jti a', 'jti b'], undefined]);
    list.close();
  });

  test('lets go what has ended', async () => {
    const list = await make();
    const ended: string[] = [];
    list.onChange((change) => ended.push(...change.ended));
    await list.add('short', Date.now() + 300);
    await list.add('long', Date.now() + hour);
    await expect.poll(() => list.entries.has('short'), { timeout: 8000 }).toBe(false);
    expect([ended, list.entries.has('long')]).toEqual([['short'], true]);
    list.close();
  }, 10_000);
}

describe('a list in memory', () => {
  describeList(async () => createMemorySharedList(storePorts));
});

describeWithRedis('a list in a real Redis', (binary) => {
  const servers: TestRedis[] = [];
  const connections: RedisConnection[] = [];
  const lists: SharedList[] = [];
  afterEach(async () => {
    for (const list of lists.splice(0)) list.close();
    for (const redis of connections.splice(0)) redis.close();
    for (const server of servers.splice(0)) await server.close();
  });

  const server = async (): Promise<TestRedis> => {
    const started = await startRedis(binary);
    servers.push(started);
    return started;
  };
  /** A replica: a connection and a list of its own. */
  const replica = (port: number, key = 'p:revoked'): { readonly redis: RedisConnection; readonly list: SharedList } => {
    const { redis } = connectTo(port);
    const list = createRedisSharedList(redis, key, { ...storePorts, logger: silent });
    connections.push(redis);
    lists.push(list);
    return { redis, list };
  };
  const whole = (list: SharedList) => expect.poll(() => list.unreadable(), { timeout: 6000 }).toBe(undefined);

  describeList(async () => {
    const { list } = replica((await server()).port);
    await whole(list);
    return list;
  });

  test('is with every other replica within a second, and with one that comes later', async () => {
    const { port } = await server();
    const [one, two, stranger] = [replica(port), replica(port), replica(port, 'p:other')];
    for (const { list } of [one, two, stranger]) await whole(list);
    const took: number[] = [];
    for (let index = 0; index < 20; index++) {
      const started = performance.now();
      await one.list.add(`jti ${index}`, Date.now() + hour);
      await expect.poll(() => two.list.entries.has(`jti ${index}`), { interval: 1 }).toBe(true);
      took.push(performance.now() - started);
    }
    expect(Math.max(...took)).toBeLessThan(1000);
    const late = replica(port);
    await whole(late.list);
    expect([late.list.entries.size, stranger.list.entries.size]).toEqual([20, 0]);
  });

  test('of thousands is read whole, page by page, many of them with one end', async () => {
    const { port } = await server();
    const { redis } = connectTo(port);
    connections.push(redis);
    await expect.poll(isUp(redis)).toBe(true);
    const end = Date.now() + hour;
    const entries = Array.from({ length: 5300 }, (_, index) => [String(end + (index > 3500 ? index : 0)), `e${index}`]);
    for (let index = 0; index < entries.length; index += 500)
      await redis.send(['ZADD', 'p:revoked', ...entries.slice(index, index + 500).flat()]);
    await redis.send(['ZADD', 'p:revoked', String(Date.now() - 1000), 'ended']);
    await redis.send(['INCR', 'p:revoked:version']);
    const { list } = replica(port);
    await whole(list);
    expect([list.entries.size, list.entries.has('e0'), list.entries.has('e5299'), list.entries.has('ended')]).toEqual([
      5300,
      true,
      true,
      false,
    ]);
  });

  test('is found by the next question where no message told of it', async () => {
    const { port } = await server();
    const { redis, list } = replica(port);
    await whole(list);
    await redis.together([
      ['ZADD', 'p:revoked', String(Date.now() + hour), 'untold'],
      ['INCR', 'p:revoked:version'],
    ]);
    await expect.poll(() => list.entries.has('untold'), { timeout: 1000, interval: 10 }).toBe(true);
  });

  test('says that it cannot be read while Redis is away or hangs, and takes up what came meanwhile', async () => {
    const running = await server();
    const [one, two] = [replica(running.port), replica(running.port)];
    await whole(one.list);
    await whole(two.list);
    running.pause();
    await expect.poll(() => one.list.unreadable(), { timeout: 4000 }).toBe('no answer within 500 ms');
    running.resume();
    await whole(one.list);
    await running.kill();
    await expect.poll(() => one.list.unreadable(), { timeout: 4000 }).not.toBe(undefined);
    const failed = await one.list
      .add('while it is away', Date.now() + hour)
      .catch((error: { code: string }) => error.code);
    expect([failed, one.list.entries.has('while it is away')]).toEqual(['store_unavailable', true]);
    await running.restart();
    await whole(one.list);
    await whole(two.list);
    await expect.poll(() => two.list.entries.has('while it is away'), { timeout: 3000 }).toBe(true);
  }, 30_000);

  test('is there again where Redis lost all that it knew', async () => {
    const running = await server();
    const [one, two] = [replica(running.port), replica(running.port)];
    await whole(one.list);
    await whole(two.list);
    await one.list.add('jti a', Date.now() + hour);
    await expect.poll(() => two.list.entries.has('jti a')).toBe(true);
    await running.restart();
    await whole(one.list);
    await whole(two.list);
    const later = replica(running.port);
    await whole(later.list);
    await expect.poll(() => later.list.entries.has('jti a'), { timeout: 3000 }).toBe(true);
  }, 20_000);

  test('is whole after a short restart without anybody being told that it was not', async () => {
    const running = await server();
    const { list } = replica(running.port);
    await whole(list);
    let wasUnreadable = false;
    const watch = setInterval(() => (wasUnreadable ||= list.unreadable() !== undefined), 5);
    await running.restart();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    clearInterval(watch);
    expect([wasUnreadable, list.unreadable()]).toEqual([false, undefined]);
  });
});

import type { RedisConnection, RedisFollower } from '../../../src/stores/redis-connection.ts';
import type { RedisCommand, RedisReply } from '../../../src/stores/redis-session.ts';

/** As much of a Redis as a shared list asks for: one sorted set, one counter, one channel. */
export interface FakeRedis {
  readonly scores: Map<string, number>;
  /** How often the set was asked for. */
  readings: number;
  /** What a page is answered with in place of the truth. */
  forge: ((page: RedisReply) => RedisReply) | undefined;
  connect(): RedisConnection;
  run(command: RedisCommand): RedisReply;
}

export function createFakeRedis(): FakeRedis {
  const followers = new Set<RedisFollower>();
  let version = 0;
  let sorted: readonly (readonly [string, number])[] | undefined;
  const add = (pairs: readonly string[]): void => {
    for (let index = 0; index < pairs.length; index += 2) {
      const entry = pairs[index + 1] ?? '';
      redis.scores.set(entry, Math.max(redis.scores.get(entry) ?? 0, Number(pairs[index])));
    }
    sorted = undefined;
  };
  const range = ([, , from, , , , offset, count]: RedisCommand): RedisReply => {
    redis.readings++;
    sorted ??= [...redis.scores].sort(([, a], [, b]) => a - b);
    const first = sorted.findIndex(([, end]) => end >= Number(from));
    const start = first + Number(offset);
    const page = first < 0 ? [] : sorted.slice(start, start + Number(count));
    return redis.forge === undefined ? page : redis.forge(page);
  };
  const redis: FakeRedis = {
    scores: new Map(),
    readings: 0,
    forge: undefined,
    run: (command) => {
      switch (command[0] ?? '') {
        case 'GET':
          return version === 0 ? null : String(version);
        case 'ZADD':
          return add(command.slice(3));
        case 'INCR':
          return ++version;
        case 'PUBLISH':
          for (const follower of followers) follower.onMessage(command[2] ?? '');
          return followers.size;
        case 'ZRANGE':
          return range(command);
        default:
          return 0;
      }
    },
    connect: () => ({
      send: async (command) => redis.run(command),
      together: async (commands) => commands.map((command) => redis.run(command)),
      follow: (follower) => {
        followers.add(follower);
        follower.onConnected();
        return () => followers.delete(follower);
      },
      status: () => ({ isUp: true, lastError: undefined, address: 'redis://fake' }),
      close: () => undefined,
    }),
  };
  return redis;
}

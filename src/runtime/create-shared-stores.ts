import type { ReplayStore, SharedList } from '../core/ports.ts';
import type { StoreStatus } from '../core/status.ts';
import type { Config } from './config/settings.ts';
import type { ServiceIo } from './running-service.ts';

/** What replicas share through Redis; without one, what this process remembers for itself. */
export interface SharedStores {
  /** Undefined without Redis: who needs one remembers within the process. */
  readonly replays: ReplayStore | undefined;
  /** A list of that name, for as long as it is not closed. */
  list(name: string): SharedList;
  /** Undefined without Redis. */
  status(): StoreStatus | undefined;
  /** Close the lists before. */
  close(): void;
}

/**
 * Begins to connect, and does not wait for it: no outage of Redis keeps a service from starting. Throws a Failure `store_ca` where the file
 * of its authorities is none.
 */
export async function createSharedStores(config: Config, io: ServiceIo): Promise<SharedStores> {
  const { clock, timers, random } = io;
  const { logger } = io.observation;
  const { redisUrl, redisKeyPrefix } = config;
  if (redisUrl === undefined) {
    const { createMemorySharedList } = await import('../stores/memory-shared-list.ts');
    return {
      replays: undefined,
      list: () => createMemorySharedList({ clock, timers }),
      status: () => undefined,
      close: () => undefined,
    };
  }
  // The client takes some megabytes: only who has a Redis loads it.
  const [{ createRedisConnection }, { createRedisReplayStore }, { createRedisSharedList }, { readRedisAuthorities }] =
    await Promise.all([
      import('../stores/redis-connection.ts'),
      import('../stores/redis-replay-store.ts'),
      import('../stores/redis-shared-list.ts'),
      import('../stores/read-redis-authorities.ts'),
    ]);
  if (config.redisCaFile !== undefined) await readRedisAuthorities(config.redisCaFile);
  const redis = createRedisConnection(
    {
      address: redisUrl,
      username: config.redisUsername,
      passwordFile: config.redisPasswordFile,
      caFile: config.redisCaFile,
      timeoutMs: config.redisTimeout,
    },
    { timers, random, logger },
  );
  return {
    replays: createRedisReplayStore(redis, redisKeyPrefix),
    list: (name) => createRedisSharedList(redis, `${redisKeyPrefix}${name}`, { clock, timers, logger }),
    status: () => redis.status(),
    close: () => redis.close(),
  };
}

import type { ReplayStore } from '../core/ports.ts';
import { sha256Base64 } from '../std/sha256.ts';
import type { RedisConnection } from './redis-connection.ts';

/** Remembers in Redis, for all who share it: while it cannot be asked, nothing is known to be used for the first time. */
export function createRedisReplayStore(redis: RedisConnection, keyPrefix: string): ReplayStore {
  return {
    remember: async (key, ttlMs) => {
      // Of one length, whatever a client chose.
      const name = `${keyPrefix}replay:${sha256Base64(key)}`;
      const reply = await redis.send(['SET', name, '', 'NX', 'PX', String(Math.max(1, Math.ceil(ttlMs)))]);
      return reply === 'OK';
    },
  };
}

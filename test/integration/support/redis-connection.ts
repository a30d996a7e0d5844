import { systemClock, systemRandom, systemTimers } from '../../../src/runtime/system-ports.ts';
import type { LogFields, Logger } from '../../../src/core/ports.ts';
import { createRedisConnection, type RedisConnection } from '../../../src/stores/redis-connection.ts';
import type { RedisOptions } from '../../../src/stores/redis-options.ts';

export interface TestConnection {
  readonly redis: RedisConnection;
  /** `warn Redis cannot be used ECONNREFUSED` */
  readonly log: readonly string[];
}

export const storePorts = { clock: systemClock, timers: systemTimers, random: systemRandom };

/** A connection to the Redis of a test at that port of loopback. */
export function connectTo(
  port: number,
  options: Partial<RedisOptions> & { readonly isTls?: boolean; readonly host?: string } = {},
): TestConnection {
  const log: string[] = [];
  const at = (level: string) => (fields: LogFields, message: string) =>
    void log.push([level, message, fields['error'] ?? ''].join(' ').trim());
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const redis = createRedisConnection(
    {
      address: { isTls: options.isTls ?? false, host: options.host ?? '127.0.0.1', port, database: 0 },
      username: '',
      passwordFile: undefined,
      caFile: undefined,
      timeoutMs: 500,
      ...options,
    },
    { ...storePorts, logger },
  );
  return { redis, log };
}

export function isUp(redis: RedisConnection): () => boolean {
  return () => redis.status().isUp;
}

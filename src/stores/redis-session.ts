import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { createClient, type RedisClientType } from '@redis/client';
import type { Timers } from '../core/ports.ts';
import { readRedisAuthorities } from './read-redis-authorities.ts';
import type { RedisOptions } from './redis-options.ts';
import { within } from './within.ts';

export type RedisCommand = readonly string[];
/** What Redis answers, not looked at. */
export type RedisReply = unknown;

/** One connection, from its first to its last byte. */
export interface RedisSession {
  send(command: RedisCommand): Promise<RedisReply>;
  /** All or none (MULTI). */
  together(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]>;
  subscribe(channel: string, listener: (message: string) => void): Promise<void>;
  /** Whoever waits for an answer gets an error. */
  end(): void;
}

/** More commands than that are not sent before others are answered. */
const maxQueued = 10_000;

/** Opens one; throws where that takes longer than twice the time of a command. `onLost` is called once, where the connection ends by itself. */
export async function openRedisSession(
  options: RedisOptions,
  timers: Timers,
  onLost: (cause: unknown) => void,
): Promise<RedisSession> {
  const client = await createClientOf(options);
  let isOpen = false;
  const end = (): void => {
    isOpen = false;
    client.destroy();
  };
  // Without a listener an error would end the process. Before the connection stands, `connect` tells it.
  client.on('error', (cause: unknown) => {
    if (!isOpen) return;
    isOpen = false;
    onLost(cause);
  });
  try {
    await within(timers, options.timeoutMs * 2, client.connect());
    isOpen = true;
  } catch (thrown) {
    end();
    throw thrown;
  }
  return {
    send: (command) => client.sendCommand(command),
    together: (commands) => {
      const multi = client.multi();
      for (const command of commands) multi.addCommand([...command]);
      return multi.exec();
    },
    subscribe: (channel, listener) => client.subscribe(channel, listener),
    end,
  };
}

async function createClientOf({ address, username, ...options }: RedisOptions): Promise<RedisClientType> {
  const { host, port, isTls, database } = address;
  const { passwordFile, caFile } = options;
  // The line's end that editors leave behind is none of the password.
  const password = passwordFile && (await readFile(passwordFile, 'utf8')).replace(/\r?\n$/, '');
  const ca = caFile === undefined ? undefined : await readRedisAuthorities(caFile);
  const common = { host, port, connectTimeout: options.timeoutMs * 2, reconnectStrategy: false } as const;
  return createClient({
    socket: isTls
      ? {
          ...common,
          tls: true,
          minVersion: 'TLSv1.2',
          ...(isIP(host) === 0 && { servername: host }),
          ...(ca !== undefined && { ca }),
        }
      : common,
    ...(username !== '' && { username }),
    ...(password !== undefined && { password }),
    database,
    name: 'portcullis',
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxQueued,
    maintNotifications: 'disabled',
  });
}

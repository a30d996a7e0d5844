import { Failure } from '../core/failure.ts';
import type { Logger, Random, Timers } from '../core/ports.ts';
import type { StoreStatus } from '../core/status.ts';
import { formatRedisUrl } from '../std/redis-url.ts';
import { describeRedisError } from './describe-redis-error.ts';
import type { RedisOptions } from './redis-options.ts';
import { openRedisSession, type RedisCommand, type RedisReply, type RedisSession } from './redis-session.ts';
import { within } from './within.ts';

/** A Redis that is connected to for as long as this lives. Its outage is a Failure for who asks, and nothing else. */
export interface RedisConnection {
  /** Rejects with a Failure `store_unavailable`: at once while it is known to be down, else after the time of a command. */
  send(command: RedisCommand): Promise<RedisReply>;
  /** As `send`, all or none. */
  together(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]>;
  /** Listens to a channel, from each new connection on; `onConnected` is called when that begins: what was said before was not heard. */
  follow(follower: RedisFollower): () => void;
  status(): StoreStatus;
  close(): void;
}

export interface RedisFollower {
  readonly channel: string;
  onMessage(message: string): void;
  onConnected(): void;
}

export interface RedisPorts {
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
}

/** Between two questions whether it is there. */
const beatMs = 1000;
/** So many without an answer, and the connection is given up: a network may swallow it without a word. */
const maxMissedBeats = 3;
const backOff = { firstMs: 100, maxMs: 2000 } as const;

/** Begins to connect, and does not wait for it. */
export function createRedisConnection(options: RedisOptions, ports: RedisPorts): RedisConnection {
  const address = formatRedisUrl(options.address);
  const link = createLink(options, address, ports);
  link.connect();
  const ask = async <T>(action: (session: RedisSession) => Promise<T>): Promise<T> => {
    const session = link.session();
    if (session === undefined) throw new Failure('store_unavailable', `${address}: ${link.lastError() ?? 'is down'}`);
    return askOn(session, action);
  };
  const askOn = async <T>(session: RedisSession, action: (session: RedisSession) => Promise<T>): Promise<T> => {
    try {
      return await within(ports.timers, options.timeoutMs, action(session));
    } catch (thrown) {
      throw new Failure('store_unavailable', `${address}: ${describeRedisError(thrown)}`, { cause: thrown });
    }
  };
  return {
    send: (command) => ask((session) => session.send(command)),
    together: (commands) => ask((session) => session.together(commands)),
    follow: (follower) => link.follow(follower),
    status: () => ({ address, isUp: link.session() !== undefined, lastError: link.lastError() }),
    close: () => link.close(),
  };
}

/** The one connection that there is, or will be. */
interface Link {
  connect(): void;
  /** Undefined while Redis is known to be down. */
  session(): RedisSession | undefined;
  lastError(): string | undefined;
  follow(follower: RedisFollower): () => void;
  close(): void;
}

function createLink(options: RedisOptions, address: string, ports: RedisPorts): Link {
  const { timers } = ports;
  const health = createHealth(address, ports.logger);
  const retry = createRetry(ports);
  const followers = createFollowers(timers, options.timeoutMs);
  let open: RedisSession | undefined;
  let closed = false;
  let stopBeats = (): void => undefined;

  const lose = (session: RedisSession | undefined, thrown: unknown): void => {
    if (closed || session !== open) return;
    open = undefined;
    session?.end();
    health.isDown(thrown);
    stopBeats();
    retry.later(() => void connect());
  };
  const connect = async (): Promise<void> => {
    let session: RedisSession | undefined;
    try {
      const opened = await openRedisSession(options, timers, (cause) => lose(session, cause));
      if (closed) opened.end();
      else {
        session = open = opened;
        await followers.subscribe(opened);
        begin(opened);
      }
    } catch (thrown) {
      lose(session, thrown);
    }
  };
  const begin = (session: RedisSession): void => {
    if (open !== session) return;
    retry.reset();
    health.isUp();
    followers.tellConnected();
    stopBeats = watchBeats(session, options.timeoutMs, timers, health, (cause) => lose(session, cause));
  };
  return {
    connect: () => void connect(),
    session: () => (health.lastError() === undefined ? open : undefined),
    lastError: () => health.lastError(),
    follow: (follower) => {
      const session = open;
      return followers.add(follower, session, (thrown) => lose(session, thrown));
    },
    close: () => {
      closed = true;
      retry.reset();
      stopBeats();
      followers.clear();
      open?.end();
      open = undefined;
    },
  };
}

interface Followers {
  /** Where there is a session it begins at once; `onFailure` where that fails. The returned function takes it away. */
  add(follower: RedisFollower, session: RedisSession | undefined, onFailure: (thrown: unknown) => void): () => void;
  subscribe(session: RedisSession): Promise<void>;
  tellConnected(): void;
  clear(): void;
}

interface Following extends RedisFollower {
  readonly hear: (message: string) => void;
}

function createFollowers(timers: Timers, timeoutMs: number): Followers {
  const all = new Set<Following>();
  const subscribe = (session: RedisSession, { channel, hear }: Following): Promise<void> =>
    within(timers, timeoutMs, session.subscribe(channel, hear));
  return {
    add: (follower, session, onFailure) => {
      // One function for its whole life: a channel knows it by that.
      const following = { ...follower, hear: (message: string) => follower.onMessage(message) };
      all.add(following);
      // Where the session is still being opened it may be asked for twice: the same listener is heard once.
      if (session !== undefined)
        subscribe(session, following).then(() => all.has(following) && follower.onConnected(), onFailure);
      return () => all.delete(following);
    },
    subscribe: async (session) => {
      for (const follower of all) await subscribe(session, follower);
    },
    tellConnected: () => {
      for (const follower of all) follower.onConnected();
    },
    clear: () => all.clear(),
  };
}

/** Waits longer after each failure, and a part of it at random, so that replicas do not come back in step. */
interface Retry {
  later(action: () => void): void;
  /** Nothing is waited for any more, and the next wait is the shortest. */
  reset(): void;
}

function createRetry({ timers, random }: RedisPorts): Retry {
  let failures = 0;
  let cancel = (): void => undefined;
  return {
    later: (action) => {
      cancel();
      const waitMs = Math.min(backOff.maxMs, backOff.firstMs * 2 ** Math.min(failures++, 10));
      cancel = timers.after(waitMs * (0.5 + random.fraction() / 2), action);
    },
    reset: () => {
      failures = 0;
      cancel();
    },
  };
}

/** Asks again and again whether it is there; `onSilent` where it is not for too long. The returned function ends it. */
function watchBeats(
  session: RedisSession,
  timeoutMs: number,
  timers: Timers,
  health: Health,
  onSilent: (cause: unknown) => void,
): () => void {
  let missed = 0;
  let ended = false;
  let cancel = (): void => undefined;
  const beat = async (): Promise<void> => {
    try {
      await within(timers, timeoutMs, session.send(['PING']));
      if (ended) return;
      missed = 0;
      health.isUp();
    } catch (thrown) {
      if (ended) return;
      if (++missed >= maxMissedBeats) {
        onSilent(thrown);
        return;
      }
      health.isDown(thrown);
    }
    cancel = timers.after(beatMs, () => void beat());
  };
  cancel = timers.after(beatMs, () => void beat());
  return () => {
    ended = true;
    cancel();
  };
}

/** Whether it answers, told to the log when that changes. */
interface Health {
  isUp(): void;
  isDown(thrown: unknown): void;
  /** Undefined while it is up. */
  lastError(): string | undefined;
}

function createHealth(address: string, logger: Logger): Health {
  let lastError: string | undefined = 'not connected yet';
  return {
    lastError: () => lastError,
    isUp: () => {
      if (lastError !== undefined) logger.info({ store: address }, 'Redis can be used');
      lastError = undefined;
    },
    isDown: (thrown) => {
      const why = describeRedisError(thrown);
      if (why !== lastError) logger.warn({ store: address, error: why }, 'Redis cannot be used');
      lastError = why;
    },
  };
}

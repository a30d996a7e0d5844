import { Failure } from '../core/failure.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisReply } from './redis-session.ts';

/** Entries of one reply: a large one would hold requests up. */
const pageEntries = 1000;
/** More are not held: a list of that length is no list of exceptions. */
export const maxListEntries = 200_000;
/** What has ended stays in Redis a while: clocks differ. */
const keptAfterMs = 3_600_000;

export type ListEntry = readonly [entry: string, expiresAt: number];

/** The list as it is kept in Redis: a sorted set of entries by their end, a counter that goes up with each change, a channel. */
export interface StoredList {
  readonly channel: string;
  /** 0 where nothing was ever added, or all was lost. */
  version(): Promise<number>;
  /** All that has not ended at `now`, page by page, and together. */
  read(now: number, onPage: (entries: readonly ListEntry[]) => void): Promise<ReadonlyMap<string, number>>;
  add(entry: ListEntry, now: number): Promise<void>;
  /** Adds what everybody has who was connected before: it is told to nobody, and who lacks it finds the version changed. */
  restore(entries: readonly ListEntry[]): Promise<void>;
}

export function createStoredList(redis: RedisConnection, key: string): StoredList {
  const channel = `${key}:added`;
  const versionKey = `${key}:version`;
  return {
    channel,
    version: async () => {
      const reply = await redis.send(['GET', versionKey]);
      return typeof reply === 'string' && /^\d{1,15}$/.test(reply) ? Number(reply) : 0;
    },
    read: (now, onPage) => readStored(redis, key, now, onPage),
    add: async ([entry, end], now) => {
      const kept = redis.together([
        ['ZADD', key, 'GT', String(end), entry],
        ['ZREMRANGEBYSCORE', key, '-inf', String(now - keptAfterMs)],
        ['INCR', versionKey],
      ]);
      // Right behind it and not within: Redis before 7.2 puts a message to oneself into the midst of the answer.
      await Promise.all([kept, redis.send(['PUBLISH', channel, `${end} ${entry}`])]);
    },
    restore: async (entries) => {
      for (let index = 0; index < entries.length; index += pageEntries) {
        const page = entries.slice(index, index + pageEntries);
        await redis.together([
          ['ZADD', key, 'GT', ...page.flatMap(([entry, end]) => [String(end), entry])],
          ['INCR', versionKey],
        ]);
      }
    },
  };
}

async function readStored(
  redis: RedisConnection,
  key: string,
  now: number,
  onPage: (entries: readonly ListEntry[]) => void,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  let from = now;
  let seenAtFrom = 0;
  for (;;) {
    const limit = ['LIMIT', String(seenAtFrom), String(pageEntries)];
    const page = parsePage(await redis.send(['ZRANGE', key, String(from), '+inf', 'BYSCORE', ...limit, 'WITHSCORES']));
    // Pages go on from the end as it is stored, whatever it is rounded up to.
    const rounded = page.map(([entry, end]): ListEntry => [entry, Math.ceil(end)]);
    for (const [entry, expiresAt] of rounded) found.set(entry, expiresAt);
    onPage(rounded);
    const last = page.at(-1)?.[1];
    if (page.length < pageEntries || last === undefined || found.size > maxListEntries) return found;
    // An index would shift with what others add meanwhile; an end and what was seen of it only repeats.
    seenAtFrom = page.filter(([, end]) => end === last).length + (last === from ? seenAtFrom : 0);
    from = last;
  }
}

/** Pairs of RESP3. Of another form is what cannot be read: to leave it out would be to say that it is not on the list. */
function parsePage(reply: RedisReply): readonly ListEntry[] {
  if (!Array.isArray(reply)) throw new Failure('store_unavailable', 'Redis answered in another form');
  return reply.map((pair: unknown): ListEntry => {
    const [entry, score]: readonly unknown[] = Array.isArray(pair) ? pair : [];
    if (typeof entry !== 'string' || typeof score !== 'number' || Number.isNaN(score))
      throw new Failure('store_unavailable', 'Redis holds an entry of another form');
    return [entry, score];
  });
}

export function parseListMessage(message: string): ListEntry | undefined {
  const [, end, entry] = /^(\d{1,16}) (.+)$/s.exec(message) ?? [];
  return end === undefined || entry === undefined ? undefined : [entry, Number(end)];
}

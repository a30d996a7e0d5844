import type { SharedList } from '../core/ports.ts';
import { createListCopy } from './list-copy.ts';
import { createListReader, type ListReaderPorts } from './list-reader.ts';
import type { RedisConnection } from './redis-connection.ts';
import { createStoredList, maxListEntries, parseListMessage } from './stored-list.ts';

/** How often it is asked whether something came that no message told of. */
const pollMs = 500;
/** A copy that was not confirmed for that long may lack something. */
const confirmedForMs = 2000;
const sweepMs = 5000;

/** A list in Redis. What a Redis has lost (a restart without persistence) is put there again by whoever still holds it. */
export function createRedisSharedList(redis: RedisConnection, key: string, ports: ListReaderPorts): SharedList {
  const { clock, timers } = ports;
  const copy = createListCopy();
  const stored = createStoredList(redis, key);
  const reader = createListReader(stored, copy, ports);
  let sweptAt = clock.monotonic();
  let closed = false;
  let cancel = (): void => undefined;
  const poll = async (): Promise<void> => {
    await reader.read();
    if (closed) return;
    if (clock.monotonic() - sweptAt >= sweepMs) {
      sweptAt = clock.monotonic();
      copy.sweep(clock.now());
    }
    cancel = timers.after(pollMs, () => void poll());
  };
  const unfollow = redis.follow({
    channel: stored.channel,
    onMessage: (message) => {
      const entry = parseListMessage(message);
      // Something came, and nobody knows what: it is read where it stands.
      if (entry === undefined) reader.doubt();
      else reader.hear([entry]);
    },
    onConnected: () => {
      reader.doubt();
      void reader.read();
    },
  });
  void poll();
  return {
    among: 'replicas',
    maxEntries: maxListEntries,
    entries: copy.entries,
    add: async (entry, expiresAt) => {
      const end = Math.ceil(expiresAt);
      copy.take([[entry, end]]);
      try {
        await stored.add([entry, copy.entries.get(entry) ?? end], clock.now());
      } catch (thrown) {
        // The next reading finds it missing there.
        reader.doubt();
        throw thrown;
      }
    },
    unreadable: () => {
      if (reader.isOverfull()) return `the list has more than ${maxListEntries} entries`;
      const confirmedAt = reader.confirmedAt();
      if (confirmedAt !== undefined && clock.monotonic() - confirmedAt <= confirmedForMs) return undefined;
      return redis.status().lastError ?? 'the list was not read lately';
    },
    onChange: (listener) => copy.onChange(listener),
    close: () => {
      closed = true;
      cancel();
      unfollow();
    },
  };
}

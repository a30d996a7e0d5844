import type { Clock, HttpClient, HttpLimits, KeptAnswer } from '../../core/ports.ts';
import { createBoundedCache } from '../../std/bounded-cache.ts';
import { sha256Base64url } from '../../std/sha256.ts';

/** GET for several processes as if they were one: what one of them was answered lately the others are answered too. */
export type SharedFetches = Required<Pick<HttpClient, 'getShared' | 'recall'>>;

/** As long as one process waits between two fetches that requests cause; who has to hear of changes earlier says so. */
const freshMs = 30_000;
/** Of failures in a row; who never had an answer is tried again within seconds. */
const firstPauseMs = 500;
const maxPauseMs = 15_000;
const maxPauseAtFirstMs = 2000;
const limits = { maxEntries: 5000, maxBytes: 64 * 1024 * 1024 };

interface Fetched {
  good: { readonly body: Uint8Array; readonly at: number } | undefined;
  failure: { readonly thrown: unknown; readonly at: number } | undefined;
  failures: number;
  /** When a request was the cause the last time. */
  urgentAt: number;
  running: Promise<Uint8Array> | undefined;
}

/**
 * A good answer serves for half a minute, or as long as its asker allows, a failure for as long as a patient caller would wait before it asks again, so
 * that an issuer is asked as often by many processes as by one. Each is told how old its answer is. Where a request waits for something newer it is fetched, once in half a minute for all. The last good answers are remembered for `recall`.
 */
export function createSharedFetches(http: Pick<HttpClient, 'get'>, clock: Pick<Clock, 'monotonic'>): SharedFetches {
  const places = createBoundedCache<Fetched>(limits);
  const fetchInto = async (key: string, place: Fetched, url: string, asked: HttpLimits): Promise<Uint8Array> => {
    try {
      const body = await http.get(url, asked);
      place.good = { body, at: clock.monotonic() };
      [place.failure, place.failures] = [undefined, 0];
      places.set(key, place, body.length + key.length);
      return body;
    } catch (thrown) {
      place.failure = { thrown, at: clock.monotonic() };
      place.failures++;
      throw thrown;
    } finally {
      place.running = undefined;
    }
  };
  return {
    getShared: async (url, asked): Promise<KeptAnswer> => {
      const key = keyOf(url, asked);
      const place = places.get(key) ?? {
        good: undefined,
        failure: undefined,
        failures: 0,
        urgentAt: -Infinity,
        running: undefined,
      };
      places.set(key, place, (place.good?.body.length ?? 0) + key.length);
      if (place.running !== undefined) return { body: await place.running, ageMs: 0 };
      const now = clock.monotonic();
      const isFirstInTime = asked.isUrgent === true && now - place.urgentAt >= freshMs;
      if (isFirstInTime) place.urgentAt = now;
      else if (place.failure !== undefined) {
        if (now - place.failure.at < pauseOf(place)) throw place.failure.thrown;
      } else if (place.good !== undefined && now - place.good.at < freshnessFor(asked)) {
        return { body: place.good.body, ageMs: now - place.good.at };
      }
      place.running = fetchInto(key, place, url, asked);
      return { body: await place.running, ageMs: 0 };
    },
    recall: async (url, asked) => {
      const good = places.get(keyOf(url, asked))?.good;
      return good && { body: good.body, ageMs: clock.monotonic() - good.at };
    },
  };
}

/** Requests must not make more fetches than one in half a minute, whatever they would have. */
function freshnessFor({ isUrgent, maxAgeMs = freshMs }: HttpLimits): number {
  return isUrgent === true ? freshMs : Math.min(freshMs, maxAgeMs);
}

/** What is fetched under other trust, or to another length, is another thing. */
function keyOf(url: string, { ca, maxBytes }: HttpLimits): string {
  return JSON.stringify([url, maxBytes, ca === undefined ? '' : sha256Base64url(ca)]);
}

function pauseOf({ failures, good }: Fetched): number {
  const most = good === undefined ? maxPauseAtFirstMs : maxPauseMs;
  return Math.min(most, firstPauseMs * 2 ** Math.min(failures - 1, 10));
}

import { createBoundedCache } from '../../std/bounded-cache.ts';
import { zoneMinutes } from './time-text.ts';

/** A moment whose UTC fields are those that a clock on a wall of the zone shows. */
export type WallClock = Pick<
  Date,
  | 'getTime'
  | 'getUTCFullYear'
  | 'getUTCMonth'
  | 'getUTCDate'
  | 'getUTCDay'
  | 'getUTCHours'
  | 'getUTCMinutes'
  | 'getUTCSeconds'
  | 'getUTCMilliseconds'
>;

/** Formatters are dear to make; a zone comes out of a policy, or out of a request that must not fill the memory. */
const formatters = createBoundedCache<Intl.DateTimeFormat>({ maxEntries: 32, maxBytes: 32 });

const zoneName = /^[A-Za-z][A-Za-z0-9_+-]{0,31}(\/[A-Za-z0-9_+-]{1,31}){0,2}$/;

/** The wall clock of the zone (`UTC`, `+01:30`, `Europe/Berlin`); undefined where the zone is not known. */
export function wallClock(nanos: bigint, zone: string): WallClock | undefined {
  const rest = ((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const time = Number((nanos - rest) / 1_000_000n);
  if (zone === 'UTC' || zone === '') return new Date(time);
  const minutes = zoneMinutes(zone);
  if (minutes !== undefined) return new Date(time + minutes * 60_000);
  const formatter = formatterOf(zone);
  return formatter === undefined ? undefined : new Date(time + offsetOf(formatter, time));
}

/** True where the zone is known. */
export function isTimeZone(zone: string): boolean {
  return wallClock(0n, zone) !== undefined;
}

/** True where asking the zone is dear because it was not asked before. */
export function isNewZone(zone: string): boolean {
  return zone !== 'UTC' && zone !== '' && zoneMinutes(zone) === undefined && formatters.get(zone) === undefined;
}

function formatterOf(zone: string): Intl.DateTimeFormat | undefined {
  const known = formatters.get(zone);
  if (known !== undefined || !zoneName.test(zone)) return known;
  try {
    const formatter = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    formatters.set(zone, formatter, 1);
    return formatter;
  } catch {
    return undefined;
  }
}

/** Milliseconds that the zone is ahead of UTC at that time, out of `GMT-05:30` or `GMT`. */
function offsetOf(formatter: Intl.DateTimeFormat, time: number): number {
  const text = formatter.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  const [, sign = '+', hours = '0', minutes = '0', seconds = '0'] =
    /^GMT([-+])(\d+):(\d+)(?::(\d+))?$/.exec(text) ?? [];
  const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -size : size;
}

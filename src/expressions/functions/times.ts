import { toTimestamp } from '../operators/time-arithmetic.ts';
import { Fault } from '../values/fault.ts';
import { spend, type Meter } from '../values/meter.ts';
import type { Timestamp } from '../values/value.ts';
import { binary, method, plain, unary } from './definition.ts';
import { parseDuration, parseTimestamp } from './time-text.ts';
import { isNewZone, wallClock, type WallClock } from './time-zone.ts';

const [second, minute, hour] = [1_000_000_000n, 60_000_000_000n, 3_600_000_000_000n];
const unknownZone = new Fault('value', 'the time zone is not known');

const parts: readonly (readonly [name: string, read: (clock: WallClock) => number])[] = [
  ['getFullYear', (clock) => clock.getUTCFullYear()],
  ['getMonth', (clock) => clock.getUTCMonth()],
  ['getDayOfYear', dayOfYear],
  ['getDayOfMonth', (clock) => clock.getUTCDate() - 1],
  ['getDate', (clock) => clock.getUTCDate()],
  ['getDayOfWeek', (clock) => clock.getUTCDay()],
  ['getHours', (clock) => clock.getUTCHours()],
  ['getMinutes', (clock) => clock.getUTCMinutes()],
  ['getSeconds', (clock) => clock.getUTCSeconds()],
  ['getMilliseconds', (clock) => clock.getUTCMilliseconds()],
];

/** The methods of timestamps that take a zone. */
export const timeParts: ReadonlySet<string> = new Set(parts.map(([name]) => name));

/** Timestamps and durations. There is no `now()`: what is now is `request.time`. */
export const timeFunctions = [
  plain('timestamp', 'google.protobuf.Timestamp', unary('string', parseTimestamp)),
  plain(
    'timestamp',
    'google.protobuf.Timestamp',
    unary('int', (seconds) => toTimestamp(seconds * second)),
  ),
  plain(
    'timestamp',
    'google.protobuf.Timestamp',
    unary('timestamp', (value) => value),
  ),
  plain('duration', 'google.protobuf.Duration', unary('string', parseDuration)),
  plain(
    'duration',
    'google.protobuf.Duration',
    unary('duration', (value) => value),
  ),
  ...parts.flatMap(([name, read]) => [
    method(
      name,
      'int',
      unary('timestamp', (time, meter) => readPart(time, 'UTC', read, meter)),
    ),
    method(
      name,
      'int',
      binary('timestamp', 'string', (time, zone, meter) => readPart(time, zone, read, meter)),
    ),
  ]),
  method(
    'getHours',
    'int',
    unary('duration', ({ nanos }) => nanos / hour),
  ),
  method(
    'getMinutes',
    'int',
    unary('duration', ({ nanos }) => nanos / minute),
  ),
  method(
    'getSeconds',
    'int',
    unary('duration', ({ nanos }) => nanos / second),
  ),
  method(
    'getMilliseconds',
    'int',
    unary('duration', ({ nanos }) => (nanos % second) / 1_000_000n),
  ),
];

function readPart(
  { nanos }: Timestamp,
  zone: string,
  read: (clock: WallClock) => number,
  meter: Meter,
): bigint | Fault {
  const over = spend(meter, isNewZone(zone) ? 5000 : zone === 'UTC' ? 5 : 500);
  if (over !== undefined) return over;
  const clock = wallClock(nanos, zone);
  return clock === undefined ? unknownZone : BigInt(read(clock));
}

function dayOfYear(clock: WallClock): number {
  const start = new Date(0);
  start.setUTCFullYear(clock.getUTCFullYear(), 0, 1);
  return Math.floor((clock.getTime() - start.getTime()) / 86_400_000);
}

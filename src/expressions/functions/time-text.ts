import { toDuration, toTimestamp } from '../operators/time-arithmetic.ts';
import { Fault } from '../values/fault.ts';
import type { Duration, Timestamp } from '../values/value.ts';

const second = 1_000_000_000n;
const timestampShape = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[-+]\d\d:\d\d)$/;
const durationShape = /^([-+]?)((?:(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:h|m|s|ms|us|µs|ns)){1,8})$/;
const durationPart = /(\d*)\.?(\d*)(ns|us|µs|ms|h|m|s)/g;
const units: ReadonlyMap<string, bigint> = new Map([
  ['h', 3600n * second],
  ['m', 60n * second],
  ['s', second],
  ['ms', 1_000_000n],
  ['us', 1000n],
  ['µs', 1000n],
  ['ns', 1n],
]);
const notTimestamp = new Fault('value', 'the text is no timestamp of RFC 3339');
const notDuration = new Fault('value', 'the text is no duration such as 1h30m or 1.5s');

/** Reads `2026-11-21T10:00:00.5+01:00` (RFC 3339, the year 1 to 9999). */
export function parseTimestamp(text: string): Timestamp | Fault {
  const [, date = '', fraction = '', zone = ''] = timestampShape.exec(text) ?? [];
  const local = Date.parse(`${date}Z`);
  const offset = zone === 'Z' ? 0 : zoneMinutes(zone);
  // Date.parse takes the 31st of February for the 3rd of March.
  if (Number.isNaN(local) || offset === undefined || new Date(local).toISOString().slice(0, 19) !== date) {
    return notTimestamp;
  }
  return toTimestamp((BigInt(local) - BigInt(offset) * 60_000n) * 1_000_000n + BigInt(fraction.padEnd(9, '0')));
}

/** Minutes of `+01:30`, `-08:00` or `02:00`; undefined for anything else. */
export function zoneMinutes(zone: string): number | undefined {
  const [, sign, hours = '', minutes = ''] = /^([-+]?)(\d\d):([0-5]\d)$/.exec(zone) ?? [];
  if (sign === undefined || Number(hours) > 23) return undefined;
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
}

/** `2026-11-21T09:00:00.5Z`. */
export function formatTimestamp(nanos: bigint): string {
  const rest = ((nanos % second) + second) % second;
  const text = new Date(Number((nanos - rest) / 1_000_000n)).toISOString().slice(0, 19);
  return `${text}${formatFraction(rest)}Z`;
}

/** Reads `1h30m`, `-1.5s`, `250ms`: Go's spelling, which CEL takes. */
export function parseDuration(text: string): Duration | Fault {
  if (text === '0') return toDuration(0n);
  const [, sign, parts] = durationShape.exec(text) ?? [];
  if (parts === undefined) return notDuration;
  let nanos = 0n;
  for (const [, whole = '', fraction = '', name = ''] of parts.matchAll(durationPart)) {
    const unit = units.get(name) ?? 0n;
    nanos += BigInt(whole === '' ? '0' : whole) * unit;
    nanos += (BigInt(fraction === '' ? '0' : fraction) * unit) / 10n ** BigInt(fraction.length);
  }
  return toDuration(sign === '-' ? -nanos : nanos);
}

/** `5400s`, `-1.5s`. */
export function formatDuration(nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos;
  return `${nanos < 0n ? '-' : ''}${size / second}${formatFraction(size % second)}s`;
}

function formatFraction(nanos: bigint): string {
  return nanos === 0n ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
}

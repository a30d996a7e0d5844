import { Fault } from '../values/fault.ts';
import { Duration, Timestamp, type Value } from '../values/value.ts';

/** The years 1 to 9999. */
const [firstNano, lastNano] = [-62_135_596_800_000_000_000n, 253_402_300_799_999_999_999n];
const outOfRange = new Fault('value', 'the timestamp or duration is out of range');

/** The timestamp, or the Fault where it is outside of the years 1 to 9999. */
export function toTimestamp(nanos: bigint): Timestamp | Fault {
  return nanos >= firstNano && nanos <= lastNano ? new Timestamp(nanos) : outOfRange;
}

/** The duration, or the Fault where it needs more than 64 bits of nanoseconds (292 years). */
export function toDuration(nanos: bigint): Duration | Fault {
  return nanos === BigInt.asIntN(64, nanos) ? new Duration(nanos) : outOfRange;
}

/** The sum; undefined where these are no times that can be added. */
export function addTimes(a: Value, b: Value): Value | Fault | undefined {
  if (a instanceof Duration && b instanceof Duration) return toDuration(a.nanos + b.nanos);
  if (a instanceof Timestamp && b instanceof Duration) return toTimestamp(a.nanos + b.nanos);
  return a instanceof Duration && b instanceof Timestamp ? toTimestamp(a.nanos + b.nanos) : undefined;
}

/** The difference; undefined where these are no times that can be subtracted. */
export function subtractTimes(a: Value, b: Value): Value | Fault | undefined {
  if (a instanceof Duration && b instanceof Duration) return toDuration(a.nanos - b.nanos);
  if (a instanceof Timestamp && b instanceof Duration) return toTimestamp(a.nanos - b.nanos);
  return a instanceof Timestamp && b instanceof Timestamp ? toDuration(a.nanos - b.nanos) : undefined;
}

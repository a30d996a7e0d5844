import { limits } from '../limits.ts';
import { Fault } from './fault.ts';

/** The work that one evaluation may still do. */
export interface Meter {
  /** Units; below zero: the limit was passed, and whatever the evaluation ends with is a failure. */
  left: number;
}

const tooMuchWork = new Fault('limit', 'the expression does more work than it may');
const tooLong = new Fault(
  'limit',
  `a text or list is longer than it may be (${limits.textLength}, ${limits.listLength})`,
);

/** Takes units off; the Fault where there are none left. */
export function spend(meter: Meter, units: number): Fault | undefined {
  return (meter.left -= units) < 0 ? tooMuchWork : undefined;
}

/** Accounts for a text or bytes of that length to be made; the Fault where it must not be made. */
export function spendText(meter: Meter, length: number): Fault | undefined {
  if (length > limits.textLength) return refuse(meter);
  return spend(meter, length >> 5);
}

/** Accounts for a list of that length to be made or gone through; the Fault where it must not be. */
export function spendList(meter: Meter, length: number): Fault | undefined {
  if (length > limits.listLength) return refuse(meter);
  return spend(meter, length >> 2);
}

/** Passing a limit is final: `|| true` does not help. */
function refuse(meter: Meter): Fault {
  meter.left = -1;
  return tooLong;
}

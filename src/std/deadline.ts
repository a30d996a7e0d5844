/** When something that is remembered ends, by both clocks, milliseconds each. */
export interface Deadline {
  readonly wall: number;
  readonly monotonic: number;
}

interface Clocks {
  now(): number;
  monotonic(): number;
}

export function deadlineIn(ms: number, clock: Clocks): Deadline {
  return { wall: clock.now() + ms, monotonic: clock.monotonic() + ms };
}

/** By whichever clock comes first: the monotonic one stands still while a machine is suspended, the wall clock may be set back. */
export function isOver({ wall, monotonic }: Deadline, clock: Clocks): boolean {
  return clock.monotonic() >= monotonic || clock.now() >= wall;
}

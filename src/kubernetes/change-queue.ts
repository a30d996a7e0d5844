import type { Logger, Random, Timers } from '../core/ports.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import type { SourceChange } from '../policy/spec.ts';
import { createBackOff } from '../std/back-off.ts';
import { createWaitingChanges, type TakenOut } from './waiting-changes.ts';

/** Hands changes on one at a time; what comes meanwhile is put together, so that a burst of changes is few. */
export interface ChangeQueue {
  add(change: SourceChange): void;
  /** Begins to hand on; until then changes are collected. Resolves when everything that was collected is taken in, whatever comes meanwhile. */
  open(): Promise<void>;
  /** All that waits: whoever asks hands it on, and tells whether it could be. */
  takeOut(): TakenOut;
}

export interface ChangeQueueOptions {
  /** Called with the whole of what waits, once with nothing where there is nothing at the start. Where it rejects it is called again with the same. */
  readonly take: (change: SourceChange) => Promise<void>;
  /** Told of what has to wait for another change; the function that it returns is called when that is handed on. */
  readonly hasten: (change: SourceChange) => () => void;
  readonly ports: { readonly timers: Timers; readonly random: Random; readonly logger: Logger };
}

/** `take` is not meant to reject: where a mistake of ours lets it, no change is lost and none after it is held up for good. */
const retries = { firstMs: 1000, maxMs: 60_000 } as const;

export function createChangeQueue({ take, hasten, ports }: ChangeQueueOptions): ChangeQueue {
  const { timers, logger } = ports;
  const waiting = createWaitingChanges();
  const pauses = createBackOff(retries, ports.random);
  let isOpen = false;
  let isRunning = false;
  const endHaste: (() => void)[] = [];
  const takeOut = (): TakenOut => {
    for (const end of endHaste.splice(0)) end();
    return waiting.takeOut();
  };
  /** False where it was not taken, and waits again. `isStart`: also where there is nothing. */
  const takeAll = async (isStart: boolean): Promise<boolean> => {
    const out = takeOut();
    const { change } = out;
    try {
      // One that was made anew under its name is in both, in one change: in between a wider policy would decide, and a floor would be missing.
      if (isStart || change.removed.length + change.changed.length > 0) await take(change);
      out.settled(true);
      pauses.reset();
      return true;
    } catch (thrown) {
      logger.error(thrownFields(thrown), 'a change could not be handed on, which is a bug; it is tried again');
      out.settled(false);
      return false;
    }
  };
  const pause = (): Promise<void> => new Promise((resolve) => timers.after(pauses.next(), resolve));
  const run = async (): Promise<void> => {
    if (!isOpen || isRunning) return;
    isRunning = true;
    while (!waiting.isEmpty()) if (!(await takeAll(false))) await pause();
    isRunning = false;
  };
  return {
    add: (change) => {
      if (isRunning) endHaste.push(hasten(change));
      waiting.add(change);
      void run();
    },
    open: async () => {
      isOpen = true;
      isRunning = true;
      while (!(await takeAll(true))) await pause();
      isRunning = false;
      void run();
    },
    takeOut: () => {
      const out = takeOut();
      return {
        change: out.change,
        settled: (isTaken) => {
          out.settled(isTaken);
          void run();
        },
      };
    },
  };
}

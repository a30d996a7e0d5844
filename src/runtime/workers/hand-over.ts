import type { Socket } from 'node:net';
import type { Clock, Timers } from '../../core/ports.ts';
import type { WorkerLink } from './worker-link.ts';

/** Gives each connection to the worker that has the fewest when it can take one. */
export interface HandOver {
  take(socket: Socket): void;
  /** One that a worker that is gone never had: before those that came later. */
  takeBack(socket: Socket): void;
  /** Who takes connections, or how many somebody has, is another. */
  go(): void;
  /** Gives all that wait, so that what workers are told next comes behind it. */
  flush(): void;
}

export interface HandOverOptions {
  /** Those that take connections. */
  readonly links: () => readonly Candidate[];
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly timers: Timers;
}

type Candidate = Pick<WorkerLink, 'worker' | 'connections' | 'handedOver' | 'handingSince' | 'handOver'>;

/** For so long a worker that has the fewest is waited for; one that is busy takes a connection in each turn of its loop. */
const patienceMs = 200;

/**
 * One connection at a time is on its way to a worker, and the others wait here: what a worker is told (revocations, policies) waits for one of them
 * at most, and none of them for a worker that stands still. Where no worker takes connections, they are closed.
 */
export function createHandOver({ links, clock, timers }: HandOverOptions): HandOver {
  const waiting: Socket[] = [];
  let cancel = (): void => undefined;
  const go = (): void => {
    cancel();
    while (waiting.length > 0) {
      const candidates = links();
      if (candidates.length === 0) {
        for (const socket of waiting.splice(0)) socket.destroy();
        return;
      }
      const now = clock.monotonic();
      const [fewest] = candidates.filter(({ handingSince = now }) => now - handingSince < patienceMs).toSorted(byLoad);
      // All are slow: whoever takes what is on its way is the next.
      if (fewest === undefined) return;
      if (fewest.handingSince !== undefined) {
        cancel = timers.after(fewest.handingSince + patienceMs - now, go);
        return;
      }
      give(waiting, fewest);
    }
  };
  return {
    take: (socket) => {
      waiting.push(socket);
      go();
    },
    takeBack: (socket) => {
      waiting.unshift(socket);
      go();
    },
    go,
    flush: () => {
      while (waiting.length > 0) {
        const [fewest] = links().toSorted(byLoad);
        if (fewest === undefined) break;
        give(waiting, fewest);
      }
      go();
    },
  };
}

function give(waiting: Socket[], to: Candidate): void {
  const socket = waiting.shift();
  if (socket !== undefined) to.handOver(socket);
}

function byLoad(a: Candidate, b: Candidate): number {
  const isBusy = ({ handingSince }: Candidate): number => (handingSince === undefined ? 0 : 1);
  return a.connections - b.connections || isBusy(a) - isBusy(b) || a.handedOver - b.handedOver || a.worker - b.worker;
}

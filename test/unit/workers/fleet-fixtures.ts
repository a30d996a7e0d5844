import type { Socket } from 'node:net';
import { createFleet, type Fleet } from '../../../src/runtime/workers/fleet.ts';
import { createPolicyState, type PolicyState } from '../../../src/runtime/workers/policy-state.ts';
import { createManualTime, settle } from '../kubernetes/manual-time.ts';
import { createKeptLog, type KeptLog } from '../runtime/runtime-fixtures.ts';
import { createFakeWorker, objectOf, type FakeWorker } from './worker-fixtures.ts';

/** A fleet of workers that do what the test says. */
export interface Stand {
  readonly fleet: Fleet;
  readonly state: PolicyState;
  /** In the order in which they were started. */
  readonly born: readonly FakeWorker[];
  readonly worker: (number: number) => FakeWorker;
  readonly time: ReturnType<typeof createManualTime>;
  readonly log: KeptLog;
  readonly ended: readonly string[];
  readonly states: readonly Readonly<Record<string, number>>[];
  /** A change, and whether it is in force everywhere. */
  readonly push: (name: string) => { isInForce: boolean };
}

/** It has started, and has in force what it was told first. */
export function begin(worker: FakeWorker): void {
  worker.say({ kind: 'started' });
  worker.say({ kind: 'passed', number: 1 });
}

export async function createStand(count = 2, hasStarted = true): Promise<Stand> {
  const born: FakeWorker[] = [];
  const [ended, states]: [string[], Readonly<Record<string, number>>[]] = [[], []];
  const time = createManualTime();
  const log = createKeptLog();
  const state = createPolicyState();
  const fleet = createFleet({
    count,
    startProcess: () => {
      const fake = createFakeWorker(100 + born.length);
      born.push(fake);
      return fake;
    },
    clock: time.clock,
    timers: time.timers,
    random: { id: () => 'id', fraction: () => 1 },
    logger: log,
    metrics: { workers: (now) => void states.push(now), workerEnded: (reason) => void ended.push(reason) },
    settings: { serviceNamespace: 'portcullis' },
    answer: async () => ({ kind: 'nothing' }),
    pause: () => Promise.resolve(),
    state,
    introduce: () => [{ kind: 'revoked', entries: [] }],
    revoked: () => ({ unreadable: undefined, readAgeMs: 0 }),
    onUnrouted: () => undefined,
  });
  const worker = (number: number): FakeWorker => {
    const found = born[number];
    if (found === undefined) throw new Error(`there is no worker ${number}`);
    return found;
  };
  if (hasStarted) born.forEach(begin);
  await settle();
  const push = (name: string): { isInForce: boolean } => {
    const outcome = { isInForce: false };
    void fleet.push(state.change({ changed: [objectOf(name)], removed: [] })).then(() => {
      outcome.isInForce = true;
    });
    return outcome;
  };
  return { fleet, state, born, worker, time, log, ended, states, push };
}

export const acknowledge = async (worker: FakeWorker, number: number, isTaken = true): Promise<void> => {
  worker.say({ kind: 'acknowledged', number, isTaken });
  await settle();
};

/** A connection, and whether it was closed here. */
export function connection(): Socket & { isClosed: boolean } {
  const made = { isClosed: false, destroy: () => void (made.isClosed = true) };
  return made as unknown as Socket & { isClosed: boolean };
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { PortcullisProcess } from '../portcullis-process.ts';
import { quantile } from '../statistics.ts';
import type { Verdict } from '../verdict.ts';
import { openAsking } from './asking.ts';
import type { ClusterStand } from './cluster-stand.ts';

/** From the API server's answer to a change to the first answer by it, milliseconds; 0 where it was in force before that answer was read. */
export interface EnforcementFigures {
  readonly policies: number;
  readonly changes: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const changes = 200;
const warmUp = 20;
const timeoutMs = 10_000;
const pollMs = 0.25;

export async function measureEnforcement(
  cluster: ClusterStand,
  server: PortcullisProcess,
  policies: number,
): Promise<EnforcementFigures> {
  const asking = await openAsking(cluster.stand, server);
  const times: number[] = [];
  try {
    for (let change = 0; change < warmUp + changes; change++) {
      // Each policy is changed at most once: 7 shares no factor with their number.
      const policy = (change * 7) % policies;
      await cluster.changeReaders(policy, 'clerk');
      const start = performance.now();
      const time = await timeUntil('denied', () => asking.ask(policy), start);
      if (change >= warmUp) times.push(time);
      // Never in step with whatever the service does at intervals.
      await sleep(40 + 120 * Math.random());
    }
  } finally {
    asking.close();
  }
  const at = (fraction: number): number => quantile(times, fraction);
  return { policies, changes, p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), maxMs: at(1) };
}

async function timeUntil(wanted: Verdict, ask: () => Promise<Verdict>, start: number): Promise<number> {
  if ((await ask()) === wanted) return 0;
  do {
    if (performance.now() - start > timeoutMs) throw new Error('a changed policy did not decide within 10 s');
    pause(pollMs);
  } while ((await ask()) !== wanted);
  return performance.now() - start;
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Timers know whole milliseconds only. It leaves the core to the API server, and there is nothing else to do here meanwhile. */
function pause(ms: number): void {
  Atomics.wait(nobody, 0, 0, ms);
}

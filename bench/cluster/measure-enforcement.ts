import { setTimeout as sleep } from 'node:timers/promises';
import type { PortcullisProcess } from '../portcullis-process.ts';
import { quantile } from '../statistics.ts';
import type { Verdict } from '../verdict.ts';
import { openAsking } from './asking.ts';
import type { ClusterStand } from './cluster-stand.ts';
import type { ProbeLog, StopFigures } from './probe-log.ts';

/** From the API server's answer to a change to the first answer of serve by it, with the way of that answer, milliseconds. */
export interface EnforcementFigures {
  readonly policies: number;
  readonly changes: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Changes by which the first check already was decided that was asked after the API server's answer. */
  readonly atOnce: number;
  /** A check before each change, while nothing changes: what of the figures above is the way of the check itself. */
  readonly checkP50Ms: number;
  /** The same until a watch of this bench brings a change, with nothing behind it: the part of the API server. */
  readonly watchP50Ms: number;
  readonly stops: StopFigures;
}

const changes = 200;
const warmUp = 20;
const watched = 50;
const timeoutMs = 10_000;
const pollMs = 0.25;

export async function measureEnforcement(
  cluster: ClusterStand,
  server: PortcullisProcess,
  probe: ProbeLog,
  policies: number,
): Promise<EnforcementFigures> {
  const since = Date.now();
  const asking = await openAsking(cluster.stand, server);
  const [times, checks]: [number[], number[]] = [[], []];
  let atOnce = 0;
  try {
    for (let change = 0; change < warmUp + changes; change++) {
      // Each policy is changed at most once: 7 shares no factor with their number.
      const policy = (change * 7) % policies;
      const askedAt = performance.now();
      const verdict = await asking.ask(policy);
      if (change >= warmUp) checks.push(performance.now() - askedAt);
      if (verdict !== 'allow') throw new Error('a policy does not allow what it should, before its change');
      await cluster.changeReaders(policy, 'clerk');
      const { ms, asked } = await timeUntil('denied', () => asking.ask(policy));
      if (change >= warmUp) times.push(ms);
      if (change >= warmUp && asked === 1) atOnce++;
      // Never in step with whatever the service does at intervals.
      await sleep(40 + 120 * Math.random());
    }
  } finally {
    asking.close();
  }
  const watchMs: number[] = [];
  // Others than were changed above.
  for (let policy = 1; policy <= watched; policy++) watchMs.push(await cluster.timeWatch(policies - policy, 'editor'));
  const at = (fraction: number): number => quantile(times, fraction);
  return {
    policies,
    changes,
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p99Ms: at(0.99),
    maxMs: at(1),
    atOnce,
    checkP50Ms: quantile(checks, 0.5),
    watchP50Ms: quantile(watchMs, 0.5),
    stops: await probe.stopsSince(since),
  };
}

async function timeUntil(
  wanted: Verdict,
  ask: () => Promise<Verdict>,
): Promise<{ readonly ms: number; readonly asked: number }> {
  const start = performance.now();
  for (let asked = 1; ; asked++) {
    const verdict = await ask();
    const ms = performance.now() - start;
    if (verdict === wanted) return { ms, asked };
    if (ms > timeoutMs) throw new Error('a changed policy did not decide within 10 s');
    pause(pollMs);
  }
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Timers know whole milliseconds only. It leaves the core to the API server, and there is nothing else to do here meanwhile. */
function pause(ms: number): void {
  Atomics.wait(nobody, 0, 0, ms);
}

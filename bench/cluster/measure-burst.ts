import { setTimeout as sleep } from 'node:timers/promises';
import type { PortcullisProcess } from '../portcullis-process.ts';
import { quantile } from '../statistics.ts';
import { openAsking, type Asking } from './asking.ts';
import type { ClusterStand } from './cluster-stand.ts';
import type { ProbeLog, StopFigures } from './probe-log.ts';

/** Many updates at once, with their statuses. */
export interface BurstFigures {
  readonly updates: number;
  /** Until the API server had answered all of them, and from then until all were enforced, milliseconds. */
  readonly writtenMs: number;
  readonly enforcedMs: number;
  /** Asked from inside every millisecond. */
  readonly stops: StopFigures;
  /** Of a check a millisecond from outside; the load and the API server share its core, so it is more than the service's. */
  readonly checkP99Ms: number;
  readonly checkMaxMs: number;
}

const atATime = 16;
const timeoutMs = 60_000;

export async function measureBurst(
  cluster: ClusterStand,
  server: PortcullisProcess,
  probe: ProbeLog,
  policies: number,
): Promise<BurstFigures> {
  const asking = await openAsking(cluster.stand, server);
  const since = Date.now();
  const outside = askAlways(asking, policies);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < policies) await cluster.changeReaders(next++, 'auditor');
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: atATime }, work));
  const written = performance.now();
  for (let policy = 0; policy < policies; policy++) {
    while ((await asking.ask(policy)) !== 'denied') {
      if (performance.now() - written > timeoutMs) throw new Error('a burst was not enforced within a minute');
      await sleep(1);
    }
  }
  const enforced = performance.now();
  await cluster.untilQuiet();
  const latencies = await outside.end();
  asking.close();
  return {
    updates: policies,
    writtenMs: written - start,
    enforcedMs: enforced - written,
    stops: await probe.stopsSince(since),
    checkP99Ms: quantile(latencies, 0.99),
    checkMaxMs: quantile(latencies, 1),
  };
}

/** A check a millisecond, one after the other. */
function askAlways(asking: Asking, policies: number): { end(): Promise<readonly number[]> } {
  const latencies: number[] = [];
  const over = new AbortController();
  const asked = (async () => {
    for (let policy = 0; !over.signal.aborted; policy = (policy + 1) % policies) {
      const start = performance.now();
      await asking.ask(policy);
      latencies.push(performance.now() - start);
      await sleep(1);
    }
  })();
  return {
    end: async () => {
      over.abort();
      await asked;
      return latencies;
    },
  };
}

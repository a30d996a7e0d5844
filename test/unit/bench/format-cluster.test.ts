import { expect, test } from 'vitest';
import { formatCluster } from '../../../bench/cluster/format-cluster.ts';

test('the figures of a cluster are a line each', () => {
  const stops = { longestMs: 31.26, longestCpuMs: 12.34, above20Ms: 0 };
  const load = {
    policies: 10_000,
    firstReadyMs: 9000,
    readyMs: 8040,
    statusMs: 100_000,
    residentMb: 212.4,
    residentSmallMb: 180,
    liveHeapMb: 98.76,
    stopsOfStart: stops,
    stopsOfStatuses: { ...stops, above20Ms: 2 },
  };
  expect(
    formatCluster({
      enforcement: {
        policies: 1000,
        changes: 200,
        p50Ms: 2.04,
        p90Ms: 5,
        p99Ms: 11,
        maxMs: 12,
        atOnce: 40,
        checkP50Ms: 0.94,
        watchP50Ms: 1.04,
        stops,
      },
      burst: { updates: 1000, writtenMs: 2500, enforcedMs: 20.4, stops, checkP99Ms: 9, checkMaxMs: 14 },
      quiet: { seconds: 20, policies: 1000, writes: {} },
      loads: [load],
      bytesPerPolicy: { liveHeap: 7890, resident: 9999 },
    }),
  ).toEqual([
    "  from the API server's answer to enforcement, 1000 policies: p50 2.0, p90 5.0, p99 11.0, max 12.0 ms (200 changes, 40 of them at the first check)",
    '    a check while nothing changes: p50 0.9 ms',
    '    until a watch with nothing behind it brings the change: p50 1.0 ms',
    '    meanwhile: longest stop of the event loop 12.3 ms of its own CPU time (31.3 ms by the clock), 0 above 20 ms',
    '  1000 updates, written in 2.5 s, enforced 20 ms later: longest stop of the event loop 12.3 ms of its own CPU time (31.3 ms by the clock), 0 above 20 ms',
    "    a check a millisecond meanwhile, on the load's core: p99 9.0, max 14.0 ms",
    '  20 s of quiet, 1000 policies: nothing written, Leases aside',
    '  10000 policies: ready after 8.0 s (without statuses after 9.0 s, all written 100.0 s later)',
    '    idle: 212 MB resident (180 MB with --max-semi-space-size=4), 98.8 MB live heap',
    '    from when it listens: longest stop of the event loop 12.3 ms of its own CPU time (31.3 ms by the clock), 0 above 20 ms; while statuses are written: longest stop of the event loop 12.3 ms of its own CPU time (31.3 ms by the clock), 2 above 20 ms',
    '  a policy more: 7.9 kB of live heap, 10.0 kB of resident memory',
  ]);
});

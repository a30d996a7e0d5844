/**
 * Loaded into a measured process with `--import FILE?log=PATH`: writes down how long the event loop stood still and every pause of the
 * garbage collector, and on SIGUSR2 how late the loop was since the last one and what lives on the heap. It asks the loop every
 * millisecond, which costs the process a hundredth of its core.
 */
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { runInNewContext } from 'node:vm';

const log = new URL(import.meta.url).searchParams.get('log');
if (log === null) throw new Error('the probe needs ?log=PATH');

const everyMs = 1;
/** Shorter ones are no stops. */
const shortestMs = 3;
let lines: string[] = [];
let last = performance.now();
let lastCpu = cpuMs();

/** Threads of the process load this too: theirs is not the loop that is asked about. */
if (isMainThread) {
  setInterval(() => {
    const now = performance.now();
    const cpu = cpuMs();
    const wallMs = now - last - everyMs;
    if (wallMs >= shortestMs)
      lines.push(JSON.stringify({ at: performance.timeOrigin + last, wallMs, cpuMs: cpu - lastCpu }));
    last = now;
    lastCpu = cpu;
  }, everyMs).unref();

  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      lines.push(JSON.stringify({ pausedAt: performance.timeOrigin + startTime, pauseMs: duration }));
  }).observe({ entryTypes: ['gc'] });

  setInterval(() => {
    if (lines.length === 0) return;
    appendFileSync(log, `${lines.join('\n')}\n`);
    lines = [];
  }, 250).unref();
}

const delay = monitorEventLoopDelay({ resolution: everyMs });
if (isMainThread) delay.enable();

process.on('SIGUSR2', () => {
  const late = {
    delayP50Ms: delay.percentile(50) / 1e6,
    delayP99Ms: delay.percentile(99) / 1e6,
    delayMaxMs: delay.max / 1e6,
  };
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') for (let round = 0; round < 3; round++) collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  appendFileSync(log, `${JSON.stringify({ heapUsed, external, rss, ...late })}\n`);
  // That collection is not what anybody asks about.
  setTimeout(() => delay.reset(), 50);
});

/** Of the main thread alone: what others of the machine take is in the wall clock only. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

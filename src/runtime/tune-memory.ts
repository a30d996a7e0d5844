import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import type { Timers } from '../core/ports.ts';
import type { Config } from './config/settings.ts';

/** While policies are loaded the old objects may grow by this much before V8 collects among them; and when everything is loaded. Percent. */
const growthWhileLoading = 20;
const growthAfterwards = 30;
/** What the space for new objects grows to when everything is loaded: twice 8 MB, since they are copied from one half into the other. */
const newSpaceBytes = 2 * 8 * 2 ** 20;
/** CPU time of the process in which nothing is optimized, milliseconds: some hundred policies are loaded by then, however slow the machine is. */
const notOptimizedMs = 500;

/**
 * Keeps V8 from taking memory that it never gives back, and time where it does not pay. To be called before anything is loaded, the rest of the program
 * among it; what it gives is to be called when everything is. What is set holds for the process, its threads among it.
 *
 * - Loading many policies makes V8 believe that what requests allocate lives long too, and it puts that among the old objects, where only
 *   full collections free it: measured, a check then costs up to seven times as much until V8 has learnt better. This stays.
 * - Loading makes the space for new objects grow to 64 MB, twice, and the old objects to twice what lives. So neither may grow so far until
 *   everything is loaded. Then both may, but on our own transport not as far as V8 would go under load: next to nothing of a request outlives
 *   it, and a small space is as good. It is only as good where one thread looks through it: several wake each other for what takes less time
 *   than that, and by far the most where they share a core. Calls and streams of grpc-js do outlive collections; it has what V8 takes.
 * - While policies are loaded V8 optimizes what is called often, for speed that some hundred policies have no use for: a sixth of the time of such a
 *   start, and 14 MB. So that waits until everything is loaded, or took half a second of CPU time: a thousand policies do need it. Each thread that optimizes keeps
 *   what it needed for it: one does, which stays.
 */
export function tuneMemory(timers: Timers): (transport: Config['transport']) => void {
  setFlagsFromString('--no-allocation-site-pretenuring');
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString('--concurrent-turbofan-max-threads=1');
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString(`--heap-growing-percent=${growthWhileLoading}`);
  setFlagsFromString('--no-opt');
  setFlagsFromString('--no-maglev');
  const cancel = afterCpuTime(notOptimizedMs, optimize, timers);
  let isLoaded = false;
  return (transport) => {
    if (isLoaded) return;
    isLoaded = true;
    cancel();
    optimize();
    if (transport === 'native') keepSmall();
    else letGrow();
  };
}

/** Calls once when the process has used so much CPU time from now on; the returned function cancels. */
function afterCpuTime(ms: number, action: () => void, timers: Timers): () => void {
  const end = cpuMs() + ms;
  let cancel = timers.after(ms, look);
  function look(): void {
    const left = end - cpuMs();
    if (left <= 0) action();
    else cancel = timers.after(Math.max(left, 10), look);
  }
  return () => cancel();
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function keepSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${growthAfterwards}`);
  boundNewSpace();
}

/** The defaults of V8. */
function letGrow(): void {
  setFlagsFromString('--parallel-scavenge');
  setFlagsFromString('--semi-space-growth-factor=2');
  setFlagsFromString('--heap-growing-percent=0');
}

function optimize(): void {
  setFlagsFromString('--opt');
  setFlagsFromString('--maglev');
}

/**
 * V8 takes a bound of this space only at its start. While it runs it can be told by how much to let it grow at once, which is to the bound: it starts with
 * 1 or 2 MB twice, and makes it as small again in quiet hours.
 */
function boundNewSpace(): void {
  let factor = 1;
  const judge = (): void => {
    const wanted = Math.max(1, Math.round(newSpaceBytes / newSpaceSize()));
    if (wanted === factor) return;
    factor = wanted;
    setFlagsFromString(`--semi-space-growth-factor=${factor}`);
  };
  judge();
  new PerformanceObserver(judge).observe({ entryTypes: ['gc'] });
}

function newSpaceSize(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? newSpaceBytes;
}

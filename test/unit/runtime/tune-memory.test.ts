import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, vi } from 'vitest';

// A process each, of a second or two of work.
vi.setConfig({ testTimeout: 60_000 });
const run = promisify(execFile);
const moduleOf = (name: string): string =>
  JSON.stringify(fileURLToPath(new URL(`../../../src/${name}`, import.meta.url)));

interface Kept {
  /** Megabytes that V8 keeps for new objects: before anything is loaded, at least while it is, and mostly after more once that was said to be all. */
  readonly newSpace: readonly number[];
  /** Whether a function that is called all the time was optimized: while policies are loaded, a moment after, and when that was said to be all. */
  readonly optimized: readonly boolean[];
}

async function keptBy(transport: 'native' | 'grpc-js' | undefined): Promise<Kept> {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { setImmediate as turn } from 'node:timers/promises';
    import { tuneMemory } from ${moduleOf('runtime/tune-memory.ts')};
    const newSpace = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20;
    let kept = [];
    const load = async () => {
      const one = [];
      for (let index = 0; index < 8_000; index++) one.push({ index, list: [index] });
      kept.push(one);
      await turn();
      return newSpace();
    };
    const loadAll = async () => {
      const sizes = [];
      while (sizes.length < 60) sizes.push(await load());
      return sizes.slice(30).sort((a, b) => a - b);
    };
    const hot = (limit) => { let sum = 0; for (let index = 0; index < limit; index++) sum += index % 7; return sum; };
    const isOptimized = async (call, tries) => {
      for (let round = 0; round < 20_000; round++) call(500);
      // It is optimized in a thread of its own.
      await turn();
      return (%GetOptimizationStatus(call) & 16) !== 0 || (tries > 1 && isOptimized(call, tries - 1));
    };
    let due = () => undefined;
    const loaded = ${transport !== undefined ? 'tuneMemory({ after: (delay, action) => ((due = action), () => undefined) })' : '() => undefined'};
    const before = newSpace();
    const [after] = await loadAll();
    const optimized = [await isOptimized((limit) => hot(limit), 1)];
    const since = process.cpuUsage().user;
    while (process.cpuUsage().user < since + 510_000);
    due();
    optimized.push(await isOptimized((limit) => hot(limit) + 1, 50));
    loaded('${transport}');
    optimized.push(await isOptimized((limit) => hot(limit) + 2, 50));
    kept = [];
    console.log(JSON.stringify({ newSpace: [before, after, (await loadAll())[15]], optimized }));
  `;
  const args = ['--allow-natives-syntax', '--input-type=module', '--eval', program];
  const { stdout } = await run(process.execPath, args);
  const figures: Kept = JSON.parse(stdout);
  return figures;
}

it('keeps the space for new objects as it is while policies are loaded, and lets it grow afterwards, but not far', async () => {
  const { newSpace } = await keptBy('native');
  const [before = 0, after = 0, free] = newSpace;
  expect(after).toBeLessThan(4 * before);
  expect(free).toBeGreaterThan(2 * after);
  // 16, and 32 where it grew twice before anybody could look.
  expect(free).toBeLessThan(40);
});

it('lets it grow as far as V8 will for grpc-js', async () => {
  const { newSpace } = await keptBy('grpc-js');
  const [before = 0, after = 0, free] = newSpace;
  expect(after).toBeLessThan(4 * before);
  expect(free).toBeGreaterThan(40);
});

it('optimizes nothing until everything is loaded, or has taken long', async () => {
  const { optimized } = await keptBy('native');
  expect(optimized).toEqual([false, true, true]);
});

it('would grow far and optimize at once without it', async () => {
  const { newSpace, optimized } = await keptBy(undefined);
  const [before = 0, after] = newSpace;
  expect(after).toBeGreaterThan(8 * before);
  expect(optimized).toEqual([true, true, true]);
});

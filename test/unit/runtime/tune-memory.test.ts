import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const module = fileURLToPath(new URL('../../../src/runtime/tune-memory.ts', import.meta.url));

/** Megabytes that V8 keeps for new objects: before anything is loaded, most of the time while it is, and after more once that was said to be all. */
async function newSpaceAfterLoading(isTuned: boolean): Promise<readonly number[]> {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { tuneMemory } from ${JSON.stringify(module)};
    const newSpace = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20;
    const kept = [];
    const load = () => { for (let index = 0; index < 50_000; index++) kept.push({ index, list: [index] }); return newSpace(); };
    const loadAll = () => Array.from({ length: 9 }, load).sort((a, b) => a - b)[4];
    const loaded = ${isTuned ? 'tuneMemory()' : '() => undefined'};
    const before = newSpace();
    const after = loadAll();
    loaded();
    console.log(JSON.stringify([before, after, loadAll()]));
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  const figures: readonly number[] = JSON.parse(stdout);
  return figures;
}

it('keeps the space for new objects as it is while policies are loaded, and lets it grow afterwards', async () => {
  const [before = 0, after = 0, free] = await newSpaceAfterLoading(true);
  // Some pages more at most, for as long as a collection takes.
  expect(after).toBeLessThanOrEqual(3 * before);
  expect(free).toBeGreaterThan(4 * after);
});

it('would grow without it', async () => {
  const [before = 0, after] = await newSpaceAfterLoading(false);
  expect(after).toBeGreaterThan(4 * before);
});

import { expect, test } from 'vitest';
import { createSearchMemory, type SearchStates } from '../../../src/std/search-memory.ts';

/** States that took so many bytes. */
function states(): SearchStates & { take(bytes: number): number; cleared: number } {
  let left = 1000;
  return {
    cleared: 0,
    maxMem: 1000,
    get memBudget() {
      return left;
    },
    take(bytes) {
      const before = left;
      left -= bytes;
      return before;
    },
    clearCache() {
      left = 1000;
      this.cleared += 1;
    },
  };
}

test('where all patterns together hold more of their searches than they may, all begin anew', () => {
  const memory = createSearchMemory(500);
  const [a, b, idle] = [states(), states(), states()];
  memory.searched(idle, idle.memBudget);
  memory.searched(a, a.take(300));
  memory.searched(b, b.take(200));
  expect([memory.bytes, a.cleared, b.cleared]).toEqual([500, 0, 0]);
  memory.searched(b, b.take(1));
  expect([memory.bytes, a.cleared, b.cleared, idle.cleared]).toEqual([0, 1, 1, 0]);
  memory.searched(a, a.take(400));
  expect([memory.bytes, a.cleared]).toEqual([400, 1]);
});

test('one that began anew by itself counts with what it took since', () => {
  const memory = createSearchMemory(500);
  const a = states();
  memory.searched(a, a.take(100));
  const before = a.memBudget;
  a.clearCache();
  a.take(30);
  memory.searched(a, before);
  expect(memory.bytes).toBe(130);
});

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** What makes something that outlives a request: a memory of ours, a weak map, or a map of a module. */
const memories =
  /\b(?:createBoundedCache|createExpiringSet|createSharedValues|createSharedByText|compileOnce|createSmallMemo|rememberPassed)(?:<[^(]*>)?\(|\bnew (?:WeakMap|WeakSet|LRUCache)\b|^(?:export )?const \w+ = new (?:Map|Set)(?:<.*>)?\(\)/m;

/** Files with a memory that the pattern does not see: a field, or a map of a closure. */
const others = ['src/grpc/http2/head-decoder.ts', 'src/phases/identity/dpop/dpop-nonces.ts'];

test('every file that remembers something beyond a request is in docs/caches.md, and every file named there does', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('src', name).replaceAll('\\', '/'));
  const remembering = files.filter((file) => memories.test(readFileSync(file, 'utf8')));
  const page = readFileSync('docs/caches.md', 'utf8');
  const named = Array.from(page.matchAll(/\]\(\.\.\/(src\/[^)]+\.ts)\)/g), ([, file = '']) => file);
  expect([...new Set(named)].sort()).toEqual([...remembering, ...others].sort());
});

test('every row says key, end, bound and place', () => {
  const rows = readFileSync('docs/caches.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| what |') && !line.startsWith('| --- |'));
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) {
    const cells = row.split('|').slice(1, -1);
    expect([row, cells.length, cells.every((cell) => cell.trim() !== '')]).toEqual([row, 5, true]);
  }
});

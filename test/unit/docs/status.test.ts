import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { conditionReasons } from '../../../src/kubernetes/conditions.ts';

test('docs/status.md lists every reason of a condition, and no other, with its meaning', async () => {
  const text = await readFile(new URL('../../../docs/status.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z]\w+)` \| (.+) \|$/gmu)].map(([, reason = '', meaning = '']) => [
    reason,
    meaning,
  ]);
  expect(rows).toEqual(Object.entries(conditionReasons));
});

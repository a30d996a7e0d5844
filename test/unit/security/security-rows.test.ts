import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { checklistRows } from './checklist-rows.ts';
import { partyAttackRows } from './party-attack-rows.ts';
import { tokenAttackRows } from './token-attack-rows.ts';

const root = new URL('../../', import.meta.url);

describe.each([
  ['attacks with tokens', tokenAttackRows],
  ['attacks on parties, ways and other credentials', partyAttackRows],
  ['checklists', checklistRows],
])('%s', (_name, rows) => {
  test.each(rows.map((row) => ({ ...row, name: row.row })))('$name: $expected', async ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    for (const [file, title] of tests) {
      const source = await readFile(new URL(file, root), 'utf8');
      expect([file, source.includes(title) ? title : `has no ${title}`]).toEqual([file, title]);
    }
  });

  test('are there once each', () => {
    expect(new Set(rows.map(({ row }) => row)).size).toBe(rows.length);
  });
});

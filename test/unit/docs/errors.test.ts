import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { problemCodes } from '../../../src/core/problem.ts';
import { reasons } from '../../../src/core/reason.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const [denials = '', problems = ''] = page.split('## Problems of documents');

function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

test('docs/errors.md lists every denial, with its status and meaning, and no other', () => {
  const documented = rows(denials).map(([code, status, meaning]) => [code, status, meaning]);
  expect(documented).toEqual(
    Object.entries(reasons).map(([code, { status, meaning }]) => [`\`${code}\``, String(status), meaning]),
  );
});

test('docs/errors.md says for every denial what to do', () => {
  for (const [code, , , remedy] of rows(denials)) expect([code, remedy?.length]).not.toEqual([code, 0]);
});

test('docs/errors.md lists every Problem code, with its meaning, and no other', () => {
  expect(rows(problems)).toEqual(Object.entries(problemCodes).map(([code, meaning]) => [`\`${code}\``, meaning]));
});

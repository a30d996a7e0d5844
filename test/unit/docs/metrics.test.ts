import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reasons } from '../../../src/core/reason.ts';

/** Every 503 but what somebody who tries passwords can bring about. */
const noFaultOfCallers = Object.entries(reasons)
  .filter(([code, { status }]) => status === 503 && code !== 'provider_busy')
  .map(([code]) => code);

/** The codes of each expression that asks for several. */
function codesIn(file: string): readonly (readonly string[])[] {
  const lists = readFileSync(file, 'utf8').matchAll(/code=~"([^"]+)"/g);
  return Array.from(lists, ([, list = '']) => list.replaceAll('\\|', '|').split('|'));
}

test.each(['docs/metrics.md', 'helm/portcullis/templates/_alerts.tpl'])(
  '%s asks for each code that is no fault of the callers, once',
  (file) => {
    expect(codesIn(file)).toEqual([noFaultOfCallers]);
  },
);

test('no question of docs/metrics.md is asked twice', () => {
  const [, watch = ''] = readFileSync('docs/metrics.md', 'utf8').split('## What to watch');
  const questions = Array.from(watch.matchAll(/^\| ([^|]+\?) \|/gm), ([, question = '']) => question);
  expect(questions.length).toBeGreaterThan(10);
  expect(questions).toEqual([...new Set(questions)]);
});

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readPolicyTest, type PolicyTest } from './policy-test.ts';

/** Every decision test that the runners run: those of test/decisions, and the `test.yaml` of each example. */
export function readPolicyTests(): readonly PolicyTest[] {
  const decisions = readdirSync('test/decisions')
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join('test/decisions', name));
  const examples = readdirSync('examples')
    .map((name) => join('examples', name, 'test.yaml'))
    .filter((file) => existsSync(file));
  return [...decisions, ...examples].map(readPolicyTest);
}

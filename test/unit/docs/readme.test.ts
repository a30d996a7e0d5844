import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explain } from '../../../src/runtime/explain.ts';
import { testPolicies } from '../../../src/runtime/test-policies.ts';
import { documentsIn } from '../../support/documents-in.ts';
import { run, type CliRun } from '../cli/cli-fixtures.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-readme-'));
  writeFileSync(join(folder, 'policies.yaml'), documentsIn('README.md'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The line of README.md that begins so, as arguments, on a folder of the documents above it. */
function runLine(start: string, change = (line: string): string => line): Promise<CliRun> {
  const line = readFileSync('README.md', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`portcullis ${start}`));
  const [command = ''] = change(line ?? '').split('  ');
  const args = Array.from(command.matchAll(/'([^']*)'|\S+/g), ([word, quoted]) => quoted ?? word).slice(1);
  const onFolder = args.map((arg) => (arg === 'policies/' ? folder : arg));
  const registry = { explain: () => Promise.resolve(explain), testPolicies: () => Promise.resolve(testPolicies) };
  return run(onFolder, { registry });
}

describe('the commands of README.md on its own policies', () => {
  test('explain allows, and without the scope denies as it says', async () => {
    expect(await runLine('explain')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('ALLOWED by shop/orders write'),
    });
    expect(await runLine('explain', (line) => line.replace(',"scope":"orders:write"', ''))).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('DENIED 403 insufficient_scope'),
    });
  });

  test('test ends with 2, for there is no PolicyTest', async () => {
    expect(await runLine('test')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('there is no PolicyTest'),
    });
  });
});

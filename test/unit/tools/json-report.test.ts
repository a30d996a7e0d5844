import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { reportVariable } from '../../tools/json-report.ts';
import { runProgram } from '../../tools/run-program.ts';
import { tallyOfReport } from '../../tools/tally.ts';

const tools = fileURLToPath(new URL('../../tools', import.meta.url));
const vitest = fileURLToPath(import.meta.resolve('vitest/package.json')).replace('package.json', 'vitest.mjs');

it('counts what passed, failed and was skipped, and neither names its file nor writes colour codes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-report-'));
  try {
    const report = join(folder, 'report.json');
    await writeFile(
      join(folder, 'a.test.ts'),
      "test('a', () => {}); test('b', () => expect(1).toBe(2)); test.skip('c', () => {});",
    );
    await writeFile(join(folder, 'b.test.ts'), "throw new Error('not loaded');");
    await writeFile(
      join(folder, 'vitest.config.mjs'),
      `import { createJsonReport } from '${tools}/json-report.ts';
       export default { test: { globals: true, reporters: ['dot', createJsonReport(process.env.${reportVariable})] } };`,
    );
    const { code, output } = await runProgram(process.execPath, [vitest, 'run', '--root', folder], {
      output: 'collected',
      timeoutMs: 60_000,
      environment: { [reportVariable]: report, NO_COLOR: '1' },
    });
    expect(tallyOfReport(JSON.parse(await readFile(report, 'utf8')), code)).toEqual({
      passed: 1,
      failed: 2,
      skipped: 1,
    });
    expect([output.includes('\u001B['), output.includes('report.json')]).toEqual([false, false]);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);

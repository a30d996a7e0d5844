import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parts, partsAreRequired } from './parts.ts';
import { reportVariable } from './json-report.ts';
import { runProgram } from './run-program.ts';
import { add, nothing, tallyOfReport, type Tally } from './tally.ts';

/** One step of `npm test`. */
export interface Step {
  readonly name: string;
  /** What it belongs to, for `run.ts check`. */
  readonly group: 'check' | 'build' | 'parts' | 'unit' | 'integration';
  run(print: (line: string) => void): Promise<Tally>;
}

const minute = 60_000;
const sources = ['src', 'test', 'bench', 'deploy'];
const prettier = [
  '--config',
  'test/tools/prettier.json',
  '--ignore-path',
  '.gitignore',
  '--check',
  '--log-level',
  'warn',
];

/** In the order they are run. */
export const steps: readonly Step[] = [
  command('check', 'types', 'tsc', ['--noEmit']),
  command('check', 'lint', 'oxlint', [
    '--config',
    'test/tools/oxlint.json',
    '--type-aware',
    '--deny-warnings',
    ...sources,
  ]),
  command('check', 'format', 'prettier', [...prettier, '{src,test,bench,deploy}/**/*.{ts,mjs,json}', '*.json']),
  suite('check', 'layers', 2 * minute),
  command('build', 'build', 'tsc', ['--project', 'src/tsconfig.json']),
  { name: 'parts', group: 'parts', run: bringParts },
  suite('unit', 'unit', 10 * minute),
  suite('integration', 'integration', 40 * minute),
];

/** A program that is right where it exits with 0; its output is shown where it does not. */
function command(group: Step['group'], name: string, program: string, args: readonly string[]): Step {
  return {
    name,
    group,
    async run(print) {
      const { code, output } = await runProgram(program, args, { output: 'collected', timeoutMs: 5 * minute });
      if (code === 0) return { ...nothing, passed: 1 };
      print(output.trimEnd());
      return { ...nothing, failed: 1 };
    },
  };
}

/** A project of test/vitest.config.ts. */
function suite(group: Step['group'], project: string, timeoutMs: number): Step {
  return {
    name: project,
    group,
    async run() {
      const folder = await mkdtemp(join(tmpdir(), 'portcullis-test-'));
      try {
        const report = join(folder, 'report.json');
        const args = ['run', '--config', 'test/vitest.config.ts', '--project', project, '--passWithNoTests=false'];
        const environment = { [reportVariable]: report };
        const { code } = await runProgram('vitest', args, { output: 'shown', timeoutMs, environment });
        return tallyOfReport(await readReport(report), code);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function readReport(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    // vitest ended before it could report.
    return undefined;
  }
}

/** One check a part; on a person's machine a missing one is skipped, and so are the suites that need it. */
async function bringParts(print: (line: string) => void): Promise<Tally> {
  let tally = nothing;
  for (const part of parts) {
    try {
      print(`${part.name}: ${await part.bring(process.env, print)}`);
      tally = add(tally, { ...nothing, passed: 1 });
    } catch (error) {
      const required = partsAreRequired(process.env);
      print(error instanceof Error ? error.message : String(error));
      if (!required) print(`The suites that need ${part.name} are skipped.`);
      tally = add(tally, required ? { ...nothing, failed: 1 } : { ...nothing, skipped: 1 });
    }
  }
  return tally;
}

import { Failure } from '../../core/failure.ts';
import { formatProblem } from '../../core/problem.ts';
import type { PolicyTestOutcome, PolicyTestReport, TestedCase } from '../../runtime/policy-test-report.ts';
import { printable } from '../../std/printable.ts';
import { UsageError, type CommandContext, type CommandDetails } from '../cli-command.ts';
import { isMistakeOfTheUser, refuseTwoReaders } from '../policy-flags.ts';
import { formatData, outputOption, type OutputFormat } from '../print-data.ts';

export const details: CommandDetails = {
  description: `Runs the PolicyTest documents of files and folders: each request is decided by the policies that the test names, offline, with the engine that \
serves, at a time and with tokens that the test describes. Every case that is not decided as expected is told. docs/testing.md has the fields.`,
  examples: [
    ['portcullis test policies/', 'every PolicyTest below the folder'],
    ['portcullis test policies/test.yaml', 'one file'],
    ['portcullis test policies/ -o json', 'for scripts'],
  ],
  exitCodes: {
    ok: 'every case is decided as expected',
    failed: 'a case is not',
    usage: 'the command line or a test is wrong, or nothing is tested',
  },
  configure(command, context) {
    command
      .argument('<PATH...>', 'files or folders; - is standard input')
      .addOption(outputOption('table', 'json', 'yaml'))
      .action((paths: readonly string[], flags: { readonly output: OutputFormat }) =>
        test(paths, flags.output, context),
      );
  },
};

async function test(
  paths: readonly string[],
  output: OutputFormat,
  { io, registry, exit }: CommandContext,
): Promise<void> {
  refuseTwoReaders(paths);
  const testPolicies = await registry.testPolicies();
  let report: PolicyTestReport;
  try {
    report = await testPolicies(paths, () => io.stdin());
  } catch (thrown) {
    if (isMistakeOfTheUser(thrown)) throw new UsageError(thrown.message);
    if (!(thrown instanceof Failure) || thrown.code !== 'tests_unusable') throw thrown;
    for (const line of thrown.message.split('\n')) io.stderr(`${printable(line)}\n`);
    exit(2);
    return;
  }
  io.stdout(formatData(report, output, () => formatReport(report)));
  if (report.failed > 0) exit(1);
}

/** A paragraph each failure, a line each test, and the sum. */
function formatReport({ tests, passed, failed }: PolicyTestReport): string {
  const lines = [...tests.flatMap(formatOutcome), `${passed} passed, ${failed} failed`];
  return `${lines.map(printable).join('\n')}\n`;
}

function formatOutcome({ source, name, cases, problems }: PolicyTestOutcome): string[] {
  const failures = cases.filter(({ differences }) => differences.length > 0);
  return [
    ...problems.map((problem) => `not in force: ${formatProblem(problem)}`),
    ...failures.flatMap(formatFailure),
    `${source}: ${name}: ${cases.length - failures.length} of ${cases.length} as expected`,
  ];
}

function formatFailure({ name, differences, ...seen }: TestedCase): string[] {
  const by = seen.policy === '' ? '' : ` by ${seen.policy}${seen.rule === '' ? '' : ` ${seen.rule}`}`;
  const why = seen.message === undefined ? '' : `: ${seen.message}`;
  const verdict = seen.decision === 'allow' ? 'allowed' : `denied ${seen.status} ${seen.code}`;
  return [`FAILED ${name}`, ...differences.map((difference) => `  ${difference}`), `  it was ${verdict}${by}${why}`];
}

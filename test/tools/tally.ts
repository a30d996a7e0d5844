/** How many checks went which way. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const nothing: Tally = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The last line of `npm test`: `N passed, N failed`, and what was skipped only where something was. */
export function summary(tally: Tally): string {
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`;
}

/** What is read of vitest's JSON report. */
interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * Counts the tests of vitest's JSON report. A file that failed without a failed test (it could not be loaded, a hook threw) counts as
 * one failure, and so does a run that ended badly though nothing of it failed, or that has no report.
 */
export function tallyOfReport(report: unknown, exitCode: number | undefined): Tally {
  if (!isReport(report)) return { ...nothing, failed: 1 };
  let tally = nothing;
  for (const file of report.testResults) {
    const of = (...statuses: string[]): number =>
      file.assertionResults.filter(({ status }) => statuses.includes(status)).length;
    const passed = of('passed');
    const skipped = of('skipped', 'pending', 'todo', 'disabled');
    const failed = file.assertionResults.length - passed - skipped;
    tally = add(tally, { passed, skipped, failed: failed === 0 && file.status === 'failed' ? 1 : failed });
  }
  const silent = tally.failed === 0 && (exitCode !== 0 || tally.passed + tally.skipped === 0);
  return silent ? { ...tally, failed: 1 } : tally;
}

function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && 'testResults' in value && Array.isArray(value.testResults);
}

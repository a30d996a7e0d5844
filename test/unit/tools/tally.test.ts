import { describe, expect, it } from 'vitest';
import { summary, tallyOfReport } from '../../tools/tally.ts';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});

describe('the counts of a report', () => {
  it('are those of its tests', () => {
    const report = {
      testResults: [file('passed', 'passed', 'passed', 'skipped'), file('failed', 'failed', 'passed', 'todo')],
    };
    expect(tallyOfReport(report, 1)).toEqual({ passed: 3, failed: 1, skipped: 2 });
  });

  it.each([
    ['a file that could not be loaded', { testResults: [file('failed'), file('passed', 'passed')] }, 1, [1, 1]],
    ['a run that ended badly without a failed test', { testResults: [file('passed', 'passed')] }, 1, [1, 1]],
    ['a run that was ended by a signal', { testResults: [file('passed', 'passed')] }, undefined, [1, 1]],
    ['a run without a report', undefined, 0, [0, 1]],
    ['a report in another form', { results: [] }, 0, [0, 1]],
    ['a run of no test at all', { testResults: [] }, 0, [0, 1]],
    ['a status that is not known', { testResults: [file('passed', 'passed', 'exploded')] }, 0, [1, 1]],
  ])('have a failure for %s', (_title, report, exitCode, [passed, failed]) => {
    expect(tallyOfReport(report, exitCode)).toMatchObject({ passed, failed });
  });

  it('are one line, which names skipped ones only where there are any', () => {
    expect(summary({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
    expect(summary({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
  });
});

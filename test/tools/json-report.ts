import { writeFile } from 'node:fs/promises';
import type { Reporter } from 'vitest/node';

/** Names the file for the report; the suites of `npm test` set it. */
export const reportVariable = 'TEST_REPORT_FILE';

/** Writes at the end what `tally.ts` reads. Vitest's own JSON reporter tells everybody where its file is. */
export function createJsonReport(file: string): Reporter {
  return {
    async onTestRunEnd(modules) {
      const testResults = modules.map((module) => ({
        // A module that is still pending or queued did not come to its end.
        status: ['passed', 'skipped'].includes(module.state()) ? 'passed' : 'failed',
        assertionResults: [...module.children.allTests()].map((test) => ({ status: test.result().state })),
      }));
      await writeFile(file, JSON.stringify({ testResults }));
    },
  };
}

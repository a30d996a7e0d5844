import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { createJsonReport, reportVariable } from './tools/json-report.ts';

const reportFile = process.env[reportVariable];

/** Each project is a folder of test/; run from the repository's root: `vitest run --config test/vitest.config.ts --project unit`. */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    reporters: reportFile === undefined ? ['default'] : ['dot', createJsonReport(reportFile)],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          environment: 'node',
          maxWorkers: Math.max(2, availableParallelism() - 1),
        },
      },
      { test: { name: 'layers', include: ['test/layers/**/*.test.ts'], environment: 'node' } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          environment: 'node',
          // Real processes, which need time to start and mostly wait: two files at a time, however many cores there are.
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});

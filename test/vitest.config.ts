import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Each project is a folder of test/; run from the repository's root: `vitest run --config test/vitest.config.ts --project unit`. */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], environment: 'node' } },
      { test: { name: 'layers', include: ['test/layers/**/*.test.ts'], environment: 'node' } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          environment: 'node',
          // Real processes on two cores: one file after the other, and time to start.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});

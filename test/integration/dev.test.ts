import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runDev } from '../../src/dev/run-dev.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

interface Run {
  readonly code: number;
  readonly output: readonly string[];
  readonly errors: readonly string[];
}

/** Runs the demonstration with `--once`. */
async function run(
  options: { readonly envoy: boolean; readonly port?: number },
  environment = process.env,
): Promise<Run> {
  const output: string[] = [];
  const errors: string[] = [];
  const code = await runDev(
    { once: true, envoy: options.envoy, port: options.port ?? 0 },
    {
      print: (line) => output.push(line),
      printError: (line) => errors.push(line),
      environment,
      signal: new AbortController().signal,
    },
  );
  return { code, output, errors };
}

const lastLine = ({ output }: Run): string | undefined => output.at(-1);

describe('the demonstration', () => {
  it('shows the same over plain gRPC where no Envoy is wanted', async () => {
    const shown = await run({ envoy: false });
    expect([shown.code, shown.errors, lastLine(shown)]).toEqual([0, [], 'Every answer was as expected.']);
    expect(shown.output.filter((line) => line.includes('$ Check'))).toHaveLength(10);
  });

  it('says why there is no Envoy and what to do, and goes on without', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'portcullis-no-cache-'));
    const shown = await run({ envoy: true }, { PATH: '', XDG_CACHE_HOME: cache });
    await rm(cache, { recursive: true });
    expect(shown.errors.join('\n')).toMatch(/is not to be had here: .*install Python 3 with pip/u);
    expect([shown.code, lastLine(shown)]).toEqual([0, 'Every answer was as expected.']);
  });

  it('works where the port of its issuer is taken', async () => {
    const other = createServer().listen(18_080, '127.0.0.1');
    try {
      const shown = await run({ envoy: false });
      expect([shown.code, lastLine(shown)]).toEqual([0, 'Every answer was as expected.']);
    } finally {
      other.close();
    }
  });
});

describeWithEnvoy('the demonstration with a real Envoy', () => {
  it('gets every answer that it expects, and prints each request as a line for a shell', async () => {
    const shown = await run({ envoy: true });
    expect([shown.code, shown.errors, lastLine(shown)]).toEqual([0, [], 'Every answer was as expected.']);
    expect(shown.output.filter((line) => line.startsWith('   $ curl '))).toHaveLength(10);
  });

  it('says in one line that its port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const shown = await run({ envoy: true, port });
      expect([shown.code, shown.errors]).toEqual([1, [`Port ${port} is in use.`]]);
    } finally {
      other.close();
    }
  });
});

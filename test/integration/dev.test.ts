import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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
    expect(shown.output.filter((line) => line.startsWith('   Check '))).toHaveLength(10);
    expect(shown.output.filter((line) => line.includes('$ '))).toEqual([]);
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

describe('while the demonstration is up', () => {
  it('tells what becomes of each change, names its admin page and promises no requests without Envoy', async () => {
    // The port of the example's issuer is taken, so that the policies are a copy that may be written to.
    const other = createServer().listen(18_080, '127.0.0.1');
    const output: string[] = [];
    const enough = new AbortController();
    const running = runDev(
      { once: false, envoy: false, port: 0 },
      {
        print: (line) => output.push(line),
        printError: (line) => output.push(line),
        environment: process.env,
        signal: enough.signal,
      },
    );
    try {
      await expect.poll(() => output, { timeout: 20_000 }).toContain('Ctrl-C ends everything.');
      const said = output.join('\n');
      const file = join(/The policies are in (\S+): change one;/u.exec(said)?.[1] ?? '', 'policy.yaml');
      const admin = /^admin page {2}(\S+)$/mu.exec(said)?.[1] ?? '';
      expect((await fetch(admin)).status).toBe(200);
      const good = await readFile(file, 'utf8');
      await writeFile(file, good.replace('access: Public', 'acess: Public'));
      await expect
        .poll(() => output, { timeout: 10_000 })
        .toContainEqual(expect.stringMatching(/^\/\S+\/policy\.yaml:15:5: .*; the version before stays in force$/u));
      await writeFile(file, good);
      await expect
        .poll(() => output, { timeout: 10_000 })
        .toContainEqual(expect.stringMatching(/^revision \d is in force$/u));
    } finally {
      enough.abort();
      await running;
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

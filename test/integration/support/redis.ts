import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { partsAreRequired } from '../../tools/parts.ts';
import { redisPart } from '../../tools/parts/redis.ts';
import { findFreePort } from '../../support/kubernetes/free-port.ts';

/** The real Redis that `npm test` found or brought; undefined where there is none. */
const binary = await redisPart.find(process.env);

if (binary === undefined && partsAreRequired(process.env)) {
  throw new Error(
    'CI=true and there is no Redis: `node test/tools/run.ts parts` brings it and says why where it cannot.',
  );
}

/** `describe` for suites that need Redis: skipped, and said so in the title, where there is none on a person's machine. */
export function describeWithRedis(title: string, suite: (redisBinary: string) => void): void {
  if (binary === undefined)
    describe.skip(`${title} (skipped: no Redis; \`node test/tools/run.ts parts\` brings it)`, () => suite(''));
  else describe(title, () => suite(binary));
}

/** A Redis of the test's own, on a free port of loopback, which keeps nothing. */
export interface TestRedis {
  readonly port: number;
  /** Ends it at once, and all that it knew with it. */
  kill(): Promise<void>;
  /** On the same port. */
  restart(): Promise<void>;
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** `settings` as lines of redis.conf; with TLS `port 0` and `tls-port` are to stand there by `portSetting`. */
export async function startRedis(
  redisBinary: string,
  settings: readonly string[] = [],
  portSetting: (port: number) => readonly string[] = (port) => [`port ${port}`],
): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-redis-'));
  const port = await findFreePort();
  const config = join(folder, 'redis.conf');
  const lines = ['bind 127.0.0.1', 'save ""', 'appendonly no', `dir ${folder}`, 'daemonize no'];
  await writeFile(config, `${[...lines, ...portSetting(port), ...settings].join('\n')}\n`);
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const started = spawn(redisBinary, [config], { stdio: 'ignore' });
    child = started;
    await listens(port, started);
  };
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  };
  await start();
  return {
    port,
    kill,
    restart: async () => {
      await kill();
      await start();
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    close: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listens(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
    if (await connects(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('redis-server does not listen');
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

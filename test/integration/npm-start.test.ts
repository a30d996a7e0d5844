import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isAlive } from '../../src/dev/is-alive.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

/** `npm start` as a person runs it; resolves when the samples are through. */
async function startNpm(flags: readonly string[]): Promise<{ readonly npm: ChildProcess; readonly pids: number[] }> {
  const npm = spawn('npm', ['start', '--', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await expect.poll(() => output, { timeout: 40_000 }).toContain('Ctrl-C ends everything.');
  const pid = npm.pid ?? 0;
  return { npm, pids: [pid, ...descendants(pid)] };
}

/** Everybody below the process, by the table of processes. */
function descendants(pid: number): number[] {
  const children = readdirSync('/proc')
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Undefined where there is no such process, or it has ended and nobody has taken notice. */
function parentOf(pid: number): number | undefined {
  if (!Number.isInteger(pid)) return undefined;
  try {
    // `pid (name) state ppid …`, and the name may hold anything.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /su, '')
      .split(' ');
    return state === 'Z' ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

const running = (pids: readonly number[]): number[] => pids.filter((pid) => parentOf(pid) !== undefined);

async function everythingEnds(flags: readonly string[], atLeast: number, signal: NodeJS.Signals): Promise<void> {
  const { npm, pids } = await startNpm(flags);
  try {
    expect(running(pids).length).toBeGreaterThanOrEqual(atLeast);
    expect(npm.kill(signal)).toBe(true);
    await expect.poll(() => running(pids), { timeout: 10_000 }).toEqual([]);
  } finally {
    for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL');
  }
}

describe('npm start', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('ends with npm, which %s ended', async (signal) => {
    await everythingEnds(['--no-envoy'], 2, signal);
  });
});

describeWithEnvoy('npm start with a real Envoy', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('leaves no Envoy where %s ends npm', async (signal) => {
    await everythingEnds([], 3, signal);
  });
});

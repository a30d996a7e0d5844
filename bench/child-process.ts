import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A server that is measured: a process of its own, on its own core. */
export interface Child {
  readonly pid: number;
  /** Fails where the process ended by itself. */
  assertRunning(): void;
  /** Ends it with SIGTERM, after three seconds with SIGKILL; resolves when it is gone. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  /** Undefined: wherever the system puts it. */
  readonly core: number | undefined;
  /** What it writes goes to this file, as to the file or pipe of a container. */
  readonly outputFile: string;
}

const running = new Set<ChildProcess>();
// However this process ends, it leaves none behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export function startNode(args: readonly string[], options: ChildOptions): Child {
  return startProgram(process.execPath, args, options);
}

export function startProgram(program: string, args: readonly string[], { core, outputFile }: ChildOptions): Child {
  const output = openSync(outputFile, 'w');
  const [command, rest] =
    core === undefined ? [program, [...args]] : ['taskset', ['-c', String(core), program, ...args]];
  const child = spawn(command, rest, {
    // Settings of whoever runs the bench must not be measured.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} could not be started`);
  running.add(child);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      running.delete(child);
      resolve();
    });
  });
  return {
    pid,
    assertRunning() {
      if (child.exitCode === null && child.signalCode === null) return;
      const said = readFileSync(outputFile, 'utf8').slice(-2000);
      throw new Error(`a server ended by itself (${args.join(' ')}):\n${said}`);
    },
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
      await ended;
      clearTimeout(timer);
    },
  };
}

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endWithProcess } from '../../../src/dev/end-with-process.ts';
import { findProgram } from '../../../src/dev/find-program.ts';
import { runCommand } from '../../../src/dev/run-command.ts';

/** A server of a stand. It ends with the process that started it, and on Linux also where that one is killed. */
export interface ServerProgram {
  readonly pid: number;
  /** Resolves when it has ended, with how; it never rejects. */
  readonly ended: Promise<string>;
  /** How it ended; undefined while it runs. */
  end(): string | undefined;
  signal(signal: NodeJS.Signals): void;
  /** Ends it at once; resolves when it is gone. */
  kill(): Promise<void>;
  /** The last lines of its log. */
  lastLines(): string;
}

export interface ServerOptions {
  readonly binary: string;
  readonly args: readonly string[];
  /** Where it runs, and where its log is. */
  readonly folder: string;
  /** The name of the log file in the folder; what stands there already stays. */
  readonly log: string;
  /** Instead of the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const shownLines = 25;

export async function startServerProgram({
  binary,
  args,
  folder,
  log,
  environment,
}: ServerOptions): Promise<ServerProgram> {
  const leash = await findLeash();
  const file = openSync(join(folder, log), 'a');
  const child = spawn(leash[0] ?? binary, leash.length > 0 ? [...leash.slice(1), binary, ...args] : args, {
    stdio: ['ignore', file, file],
    cwd: folder,
    ...(environment && { env: environment }),
  });
  closeSync(file);
  let end: string | undefined;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`));
  });
  const release = endWithProcess(() => void child.kill('SIGKILL'));
  void ended.then((how) => {
    end = how;
    release();
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${binary} cannot be started: ${await ended}`);
  return {
    pid,
    ended,
    end: () => end,
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    lastLines: () => readFileSync(join(folder, log), 'utf8').trimEnd().split('\n').slice(-shownLines).join('\n'),
  };
}

let foundLeash: Promise<readonly string[]> | undefined;

/** The words before a command with which Linux kills it when its parent dies, in whatever way; none where there is no such program. */
function findLeash(): Promise<readonly string[]> {
  foundLeash ??= (async () => {
    const flags = ['--pdeathsig', 'KILL', '--'];
    const path = await findProgram('setpriv', process.env, async (candidate) => {
      const { code } = await runCommand(candidate, [...flags, 'true'], { timeoutMs: 5000 });
      return code === 0;
    });
    return path === undefined ? [] : [path, ...flags];
  })();
  return foundLeash;
}

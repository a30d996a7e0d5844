import { spawn } from 'node:child_process';
import { messageOf } from '../core/failure.ts';

export interface CommandResult {
  /** The exit code; undefined where the command could not be started or was ended by a signal. */
  readonly code: number | undefined;
  /** What it wrote to both of its outputs, in the order it came. */
  readonly output: string;
}

export interface CommandLimits {
  /** Milliseconds; the command is ended then. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Instead of the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Instead of the current folder. */
  readonly folder?: string | undefined;
  /** Called with each piece of what it writes, as it comes. */
  readonly onOutput?: ((piece: string) => void) | undefined;
}

/** Runs a program to its end and answers what came of it. Never rejects: a program that is not there has no code and says so in its output. */
export function runCommand(program: string, args: readonly string[], limits: CommandLimits): Promise<CommandResult> {
  return new Promise((resolve) => {
    const signal = AbortSignal.any([AbortSignal.timeout(limits.timeoutMs), ...(limits.signal ? [limits.signal] : [])]);
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
      cwd: limits.folder,
      ...(limits.environment && { env: limits.environment }),
    });
    let output = '';
    const collect = (chunk: string): void => {
      output += chunk;
      limits.onOutput?.(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', (error) => {
      // Told before `close`, and where the program could not be started instead of it.
      output += messageOf(error);
      if (child.pid === undefined) resolve({ code: undefined, output });
    });
    child.on('close', (code) => {
      resolve({ code: code ?? undefined, output });
    });
  });
}

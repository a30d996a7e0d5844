import { spawn } from 'node:child_process';

export interface ProgramRun {
  /** Undefined where it was ended by a signal or did not start. */
  readonly code: number | undefined;
  /** What it wrote, where that was collected. */
  readonly output: string;
}

export interface ProgramOptions {
  /** `shown`: as it comes; `collected`: kept, for the case that it fails. */
  readonly output: 'shown' | 'collected';
  /** Milliseconds; it is ended then. */
  readonly timeoutMs: number;
  /** Variables besides ours. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Our environment, without a colour code in what is written to a file or a pipe, whatever the environment or a CI asks for. */
export function colourOf(isTerminal: boolean, environment = process.env): NodeJS.ProcessEnv {
  if (isTerminal) return environment;
  const { FORCE_COLOR: _, ...others } = environment;
  return { ...others, NO_COLOR: '1' };
}

/** Runs a program of the PATH from the current folder to its end. Never rejects. */
export function runProgram(program: string, args: readonly string[], options: ProgramOptions): Promise<ProgramRun> {
  return new Promise((resolve) => {
    const collected = options.output === 'collected';
    const child = spawn(program, args, {
      stdio: ['ignore', collected ? 'pipe' : 'inherit', collected ? 'pipe' : 'inherit'],
      env: { ...colourOf(process.stdout.isTTY), ...options.environment },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.on('SIGTERM', forward);
    const timer = setTimeout(() => {
      output += `\nended after ${options.timeoutMs / 1000} s`;
      child.kill('SIGKILL');
    }, options.timeoutMs);
    const finish = (code: number | undefined): void => {
      clearTimeout(timer);
      process.off('SIGTERM', forward);
      resolve({ code, output });
    };
    child.once('error', (error) => {
      output += error.message;
      if (child.pid === undefined) finish(undefined);
    });
    child.once('close', (code) => finish(code ?? undefined));
  });
}

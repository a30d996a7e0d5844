import { spawn } from 'node:child_process';

export interface ToolRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** For its standard input; none where it is not given. */
  readonly input?: string | undefined;
}

const timeoutMs = 120_000;

/** Runs a tool to its end. It rejects only where the tool cannot be started; one that takes too long is ended, with the code -1. */
export function runTool(binary: string, args: readonly string[], options: ToolOptions): Promise<ToolRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: options.environment,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
    // One that ends before it has read all is no error.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

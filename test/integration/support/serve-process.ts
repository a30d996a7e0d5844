import { spawn } from 'node:child_process';
import { Client, credentials } from '@grpc/grpc-js';
import { codecOf } from '../../../src/envoy/protos.ts';

/** `portcullis serve` as an operator runs it: a process of its own. */
export interface ServeProcess {
  readonly grpcAddress: string;
  readonly httpPort: number;
  readonly adminPort: number;
  /** Everything it wrote so far, both outputs. */
  output(): string;
  /** The lines of its log. */
  lines(): readonly Record<string, unknown>[];
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  close(): Promise<void>;
}

/** Starts it on free ports, on a folder or on what the flags say; resolves when its ports answer, ready or not. */
export async function startServe(
  policies: string | undefined,
  flags: readonly string[] = [],
  program = 'src/main.ts',
): Promise<ServeProcess> {
  const addresses = [
    '--grpc-address',
    '127.0.0.1:0',
    '--http-address',
    '127.0.0.1:0',
    '--admin-address',
    '127.0.0.1:0',
  ];
  const source = policies === undefined ? [] : ['--policies', policies];
  const child = spawn(
    process.execPath,
    [program, 'serve', ...source, '--shutdown-delay', '0s', ...addresses, ...flags],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? -1)));
  const lines = (): Record<string, unknown>[] =>
    output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const serving = await waitFor(
    () => lines().find(({ msg }) => msg === 'serving'),
    ended,
    () => output,
  );
  return {
    grpcAddress: String(serving['grpcAddress']),
    httpPort: portOf(serving['httpAddress']),
    adminPort: portOf(serving['adminAddress']),
    output: () => output,
    lines,
    signal: (signal) => child.kill(signal),
    ended,
    close: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs a command to its end, with variables besides those of this process. */
export async function runCli(
  args: readonly string[],
  program = 'src/main.ts',
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number>((resolve) => child.once('exit', (status) => resolve(status ?? -1)));
  return { code, output };
}

/** What grpc.health.v1 answers: `SERVING` or `NOT_SERVING`. */
export function healthOf(address: string): Promise<string> {
  const client = new Client(address, credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', same, same, Buffer.alloc(0), (error, answer) => {
      client.close();
      if (answer === undefined) reject(error ?? new Error('no answer'));
      else
        resolve(
          (codecOf('grpc.health.v1.HealthCheckResponse').decode(answer) as { status: number }).status === 1
            ? 'SERVING'
            : 'NOT_SERVING',
        );
    });
  });
}

export async function getText(port: number, path: string): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: answer.status, text: await answer.text() };
}

async function waitFor<T>(find: () => T | undefined, ended: Promise<number>, output: () => string): Promise<T> {
  let code: number | undefined;
  void ended.then((exit) => {
    code = exit;
  });
  for (let i = 0; i < 1500; i++) {
    const found = find();
    if (found !== undefined) return found;
    if (code !== undefined) throw new Error(`the process ended with ${code}: ${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not in time: ${output()}`);
}

function portOf(address: unknown): number {
  return Number(String(address).split(':').at(-1));
}

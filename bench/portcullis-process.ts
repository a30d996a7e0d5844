import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { programFile } from '../deploy/bundle/build-bundle.ts';
import { startNode, type Child } from './child-process.ts';
import { freePort } from './free-port.ts';
import type { CallAddress } from './call-address.ts';
import { prepareListening, type ListenKind } from './listening.ts';

/** `portcullis serve` as a process. */
export interface PortcullisProcess extends Child {
  /** Of the gRPC port. */
  readonly address: CallAddress;
  /** From the start of the process to the first answer that it is ready, milliseconds. */
  readonly readyAfterMs: number;
  /** When it first answered anything over HTTP, milliseconds since the epoch. */
  readonly listeningAt: number;
  /** The metrics page. */
  metrics(): Promise<string>;
}

/** What is run: `dist` is what npm ships, the bundle what the image holds; the types of `src` are stripped by Node as it starts. */
export type Program =
  { readonly kind: 'dist' } | { readonly kind: 'src' } | { readonly kind: 'bundle'; readonly folder: string };

export interface PortcullisOptions {
  readonly program: Program;
  /** How its gRPC port is reached; `tcp` where nothing is said. */
  readonly listen?: ListenKind | undefined;
  /** The folder; undefined: the flags say which cluster. */
  readonly policies: string | undefined;
  /** Of this process: for its output and, with `profile`, its CPU profile. */
  readonly name: string;
  readonly workFolder: string;
  readonly core: number | undefined;
  readonly flags?: readonly string[] | undefined;
  /** Options of Node itself. */
  readonly nodeFlags?: readonly string[] | undefined;
  /** Where a CPU profile is written when the process ends. */
  readonly profile?: string | undefined;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const readyTimeoutMs = 90_000;

/** Starts it with `serve`'s defaults, but for addresses, leave to fetch keys from this machine, and a shutdown that waits for nobody. */
export async function startPortcullis(options: PortcullisOptions): Promise<PortcullisProcess> {
  const { program, policies, name, workFolder, core, listen = 'tcp', flags = [], nodeFlags = [], profile } = options;
  const { flags: listenFlags, address } = await prepareListening(listen, workFolder, name);
  const [httpPort, adminPort] = [await freePort(), await freePort()];
  const node =
    profile === undefined
      ? []
      : // Workers have the same options: each process needs a name of its own.
        ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${name}-\${pid}.cpuprofile`];
  const settings = {
    ...(policies === undefined ? {} : { '--policies': policies }),
    '--allowed-private-address': '127.0.0.1/32',
    '--http-address': `127.0.0.1:${httpPort}`,
    '--admin-address': `127.0.0.1:${adminPort}`,
    '--shutdown-delay': '0s',
    '--shutdown-timeout': '1s',
  };
  const args = [...Object.entries(settings).flat(), ...listenFlags, ...flags];
  const start = performance.now();
  const child = startNode([...node, ...nodeFlags, mainOf(program), 'serve', ...args], {
    core,
    outputFile: join(workFolder, `${name}.log`),
  });
  let listeningAt: number | undefined;
  for (;;) {
    const { status } = await httpGet(httpPort, '/readyz');
    if (status !== 0) listeningAt ??= Date.now();
    if (status === 200) break;
    child.assertRunning();
    if (performance.now() - start > readyTimeoutMs) throw new Error(`portcullis (${name}) did not become ready`);
    await sleep(2);
  }
  const readyAfterMs = performance.now() - start;
  return {
    ...child,
    address,
    readyAfterMs,
    listeningAt: listeningAt ?? Date.now(),
    metrics: async () => (await httpGet(httpPort, '/metrics')).body,
  };
}

function mainOf(program: Program): string {
  switch (program.kind) {
    case 'dist':
      return join(root, 'dist/main.js');
    case 'src':
      return join(root, 'src/main.ts');
    case 'bundle':
      return join(program.folder, programFile);
  }
}

/** Status 0 where nobody answers. */
function httpGet(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('error', () => resolve({ status: 0, body: '' }));
  });
}

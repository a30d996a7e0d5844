import { setTimeout as delay } from 'node:timers/promises';
import { requestApi } from './api-request.ts';
import type { ClusterFiles } from './cluster-files.ts';
import { findFreePort } from './free-port.ts';
import { startServerProgram, type ServerProgram } from './server-program.ts';

export interface ApiServerSetup {
  readonly binary: string;
  readonly files: ClusterFiles;
  readonly etcdUrl: string;
  /** Besides the stand's; the last of a name counts. */
  readonly flags: readonly string[];
}

export const apiServerLog = 'kube-apiserver.log';

const startTimeoutMs = 60_000;
const pollMs = 50;
/** Somebody may take a port between our look and the start. */
const portTries = 3;

/** Starts it on a free port. */
export async function startApiServerOnFreePort(
  setup: ApiServerSetup,
): Promise<{ readonly program: ServerProgram; readonly port: number }> {
  for (let tried = 1; ; tried++) {
    const port = await findFreePort();
    try {
      return { program: await startApiServer(setup, port), port };
    } catch (error) {
      if (tried === portTries || !String(error).includes('address already in use')) throw error;
    }
  }
}

/** Resolves when /readyz answers with 200. Throws with the end of the log where it ends before that, or takes too long. */
export async function startApiServer(setup: ApiServerSetup, port: number): Promise<ServerProgram> {
  const { binary, files } = setup;
  const { folder } = files;
  const program = await startServerProgram({ binary, args: argumentsOf(setup, port), folder, log: apiServerLog });
  const target = { port, ca: files.ca, token: files.tokens.admin };
  const deadline = performance.now() + startTimeoutMs;
  while (program.end() === undefined && performance.now() < deadline) {
    const answer = await requestApi(target, { method: 'GET', path: '/readyz' }).catch(() => undefined);
    if (answer?.status === 200) return program;
    await delay(pollMs);
  }
  const how = program.end() ?? `not ready after ${startTimeoutMs / 1000} s`;
  await program.kill();
  throw new Error(`kube-apiserver does not start: ${how}\n${program.lastLines()}`);
}

function argumentsOf({ etcdUrl, flags }: ApiServerSetup, port: number): readonly string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    '--tls-cert-file=tls.crt',
    '--tls-private-key-file=tls.key',
    '--service-account-key-file=accounts.pub',
    '--service-account-signing-key-file=accounts.key',
    '--service-account-issuer=https://kubernetes.default.svc',
    '--token-auth-file=tokens.csv',
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    // Nobody makes the default service accounts that it would ask for: there is no controller manager.
    '--disable-admission-plugins=ServiceAccount',
    // No Endpoints of a loopback address, which it would refuse.
    '--endpoint-reconciler-type=none',
    ...flags,
  ];
}

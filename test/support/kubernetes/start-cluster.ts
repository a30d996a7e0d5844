import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ownMember, isJsonObject } from '../../../src/core/json.ts';
import { requestApi } from './api-request.ts';
import { startApiServer, startApiServerOnFreePort, type ApiServerSetup } from './api-server.ts';
import { writeClusterFiles, writeKubeconfig } from './cluster-files.ts';
import type { Cluster, ClusterTool, ServiceAccount } from './cluster.ts';
import { findClusterParts, type ClusterParts } from './cluster-parts.ts';
import { runTool } from './run-tool.ts';
import { startServerProgram, type ServerProgram } from './server-program.ts';

export interface ClusterOptions {
  /** Flags for kube-apiserver besides the stand's; the last of a name counts. */
  readonly apiServerFlags?: readonly string[];
}

/** Over a unix socket in the cluster's folder, which is where both programs run: no port, and nobody else reaches it. */
const etcdUrl = 'unix://localhost:2379';
const etcdPeerUrl = 'unix://localhost:2380';

/**
 * Starts a cluster of its own: about 3 s and 300 MB. Where it does not start it throws with the end of the log, and the folder with
 * the logs stays until another process starts one; where a program is missing it throws with its name (`describeWithCluster` skips instead).
 */
export async function startCluster({ apiServerFlags = [] }: ClusterOptions = {}): Promise<Cluster> {
  const parts = await findClusterParts(process.env);
  if (!('etcd' in parts)) throw new Error(`missing: ${parts.join(', ')}; \`node test/tools/run.ts parts\` brings them`);
  const files = await writeClusterFiles();
  const { folder } = files;
  const etcd = await startEtcd(parts.etcd, folder);
  const setup = { binary: parts.kubeApiserver, files, etcdUrl, flags: apiServerFlags };
  try {
    const { program, port } = await startApiServerOnFreePort(setup);
    const access = await createAccess(parts, setup, port);
    const { stop, ...apiServer } = createLifeTime(setup, program, port);
    return {
      ...access,
      ...apiServer,
      async stop() {
        await stop();
        await etcd.kill();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await etcd.kill();
    throw new Error(`The logs are in ${folder}.\n${etcd.lastLines()}`, { cause: error });
  }
}

type LifeTime = Pick<Cluster, 'killApiServer' | 'restartApiServer' | 'pauseApiServer' | 'resumeApiServer' | 'stop'>;

function createLifeTime(setup: ApiServerSetup, first: ServerProgram, port: number): LifeTime {
  let program = first;
  const kill = (): Promise<void> => program.kill();
  return {
    killApiServer: kill,
    async restartApiServer() {
      await kill();
      program = await startApiServer(setup, port);
    },
    pauseApiServer: () => program.signal('SIGSTOP'),
    resumeApiServer: () => program.signal('SIGCONT'),
    stop: kill,
  };
}

/** Everything by which a cluster is used. */
async function createAccess(
  parts: ClusterParts,
  { files: { folder, ca, tokens } }: ApiServerSetup,
  port: number,
): Promise<Omit<Cluster, keyof LifeTime>> {
  const url = `https://127.0.0.1:${port}`;
  const kubeconfigPath = (user: string): string => join(folder, `${user}.kubeconfig`);
  const writeKubeconfigOf = async (name: string, token: string): Promise<string> => {
    await writeKubeconfig(kubeconfigPath(name), { url, ca, token });
    return kubeconfigPath(name);
  };
  for (const user of ['admin', 'nobody'] as const) await writeKubeconfigOf(user, tokens[user]);
  const request: Cluster['request'] = ({ token = tokens.admin, ...call }) => requestApi({ port, ca, token }, call);
  const run: Cluster['run'] = (tool, args, { kubeconfig = kubeconfigPath('admin'), input } = {}) =>
    runTool(parts[tool], args, { environment: toolEnvironment(folder, kubeconfig), input });
  const outputOf = async (tool: ClusterTool, args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await run(tool, args, { input });
    if (code !== 0) throw new Error(`${tool} ${args.join(' ')} ended with ${code}: ${stderr.trim()}`);
    return stdout;
  };
  return {
    url,
    port,
    ca,
    caPath: join(folder, 'ca.crt'),
    folder,
    token: (user) => tokens[user],
    kubeconfigPath,
    serviceAccountToken: (account) => requestToken(request, account),
    writeKubeconfig: writeKubeconfigOf,
    request,
    kubectl: (...args) => outputOf('kubectl', args),
    helm3: (...args) => outputOf('helm3', args),
    helm4: (...args) => outputOf('helm4', args),
    apply: (yaml) => outputOf('kubectl', ['apply', '--filename', '-'], yaml),
    run,
  };
}

/** Resolves when it is started; the API server waits for it. */
function startEtcd(binary: string, folder: string): Promise<ServerProgram> {
  const args = ['--data-dir', 'etcd', '--unsafe-no-fsync', '--listen-client-urls', etcdUrl];
  // It has no peers: what it is told about itself it never calls.
  const self = ['--initial-advertise-peer-urls', 'http://localhost:2380', '--initial-cluster'];
  const peers = [...self, 'default=http://localhost:2380', '--listen-peer-urls', etcdPeerUrl];
  return startServerProgram({
    binary,
    args: [...args, '--advertise-client-urls', etcdUrl, ...peers],
    folder,
    log: 'etcd.log',
  });
}

/** Only what the tools need: nothing of this machine's, and caches in the folder. */
function toolEnvironment(folder: string, kubeconfig: string): Record<string, string | undefined> {
  return { PATH: process.env['PATH'], HOME: join(folder, 'home'), KUBECONFIG: kubeconfig };
}

async function requestToken(request: Cluster['request'], account: ServiceAccount): Promise<string> {
  const { namespace, name, audiences = [], seconds = 3600 } = account;
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const spec = { audiences, expirationSeconds: seconds };
  const answer = await request({
    method: 'POST',
    path,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
  });
  const status = isJsonObject(answer.body) ? ownMember(answer.body, 'status') : undefined;
  const token = isJsonObject(status) ? ownMember(status, 'token') : undefined;
  if (typeof token !== 'string') throw new Error(`no token for ${namespace}/${name}: the answer is ${answer.status}`);
  return token;
}

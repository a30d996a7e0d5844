import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { messageOf } from '../core/failure.ts';
import type { Clock } from '../core/ports.ts';
import { ApiFailure } from './api-failure.ts';
import { openClientNodeAccess } from './client-node-access.ts';
import type { AccessNow, ClusterAccess, TlsMaterial } from './cluster-access.ts';
import { openPlainKubeconfig } from './plain-kubeconfig.ts';
import { openPodAccess } from './pod-access.ts';

/** Where the API server is and how we show who we are. */
export interface ClusterConnection {
  /** `https://10.0.0.1:443`, with the path that a proxy before it wants, without a slash at the end. */
  readonly server: string;
  /** The namespace that the configuration names: in a pod that of the service account. */
  readonly namespace: string | undefined;
  /** The headers of a request now (tokens are read again as they rotate) and the dispatcher that dials with the TLS material of now. */
  prepare(): Promise<PreparedConnection>;
  /** The API server refused the credentials: they are read again. */
  renew(): void;
  close(): Promise<void>;
}

export interface PreparedConnection {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
}

/** Long enough for a loaded server, shorter than anybody waits. */
const connectTimeoutMs = 5000;

/**
 * Reads a kubeconfig file (its current context), or with `undefined` takes the pod's service account. Throws an ApiFailure (`api_config`)
 * where there is neither a usable file nor a pod.
 */
export async function openClusterConnection(kubeconfig: string | undefined, clock: Clock): Promise<ClusterConnection> {
  const access = await openAccess(kubeconfig, clock);
  if (!URL.canParse(access.server))
    throw new ApiFailure(
      'api_config',
      `the current context of ${kubeconfig ?? 'the pod'} names no cluster with a server`,
    );
  const dispatchers = createDispatchers(access.proxyUrl);
  const read = async (): Promise<AccessNow> => {
    try {
      return await access.read();
    } catch (cause) {
      // What is wrong with JSON is said with a piece of it, and what a credential plugin answers is a credential.
      const said = cause instanceof SyntaxError ? 'the credential plugin does not answer JSON' : messageOf(cause);
      throw new ApiFailure('api_config', `no credentials for the API server: ${said}`);
    }
  };
  return {
    server: access.server.replace(/\/+$/, ''),
    namespace: access.namespace,
    prepare: async () => {
      const { headers, tls } = await read();
      return { headers, dispatcher: dispatchers.of(tls) };
    },
    renew: () => access.renew?.(),
    close: () => dispatchers.close(),
  };
}

async function openAccess(kubeconfig: string | undefined, clock: Clock): Promise<ClusterAccess> {
  try {
    if (kubeconfig === undefined) return await openPodAccess(clock);
    return (await openPlainKubeconfig(kubeconfig, clock)) ?? (await openClientNodeAccess(kubeconfig));
  } catch (cause) {
    const what = kubeconfig === undefined ? "the pod's service account" : `the kubeconfig ${kubeconfig}`;
    // What is wrong with YAML is said with the lines around it, and a token may stand in them.
    const [said = ''] = messageOf(cause).split('\n', 1);
    throw new ApiFailure('api_config', `${what} cannot be read: ${said}`);
  }
}

interface Dispatchers {
  of(tls: TlsMaterial): Dispatcher;
  close(): Promise<void>;
}

/** One pool of connections for the TLS material in use; certificates that were renewed get a new one, and the old ends when it is idle. */
function createDispatchers(proxyUrl: string | undefined): Dispatchers {
  let known: { readonly material: string; readonly dispatcher: Dispatcher } | undefined;
  const create = (tls: TlsMaterial): Dispatcher => {
    // HTTP/1.1: on one HTTP/2 connection whatever stalls or breaks it stalls every watch at once, and undici's was seen to hang for good.
    const allowH2 = false;
    // 30 s of keep-alive: below the idle time-outs of the balancers that stand before API servers.
    const connect = { ...tls, timeout: connectTimeoutMs, keepAlive: true, keepAliveInitialDelay: 30_000 };
    if (proxyUrl === undefined || proxyUrl === '') return new Agent({ connect, allowH2 });
    return new ProxyAgent({ uri: proxyUrl, requestTls: connect, allowH2 });
  };
  return {
    of: (tls) => {
      const material = JSON.stringify(Object.values(tls).map(String));
      if (known?.material === material) return known.dispatcher;
      void known?.dispatcher.close().catch(() => undefined);
      known = { material, dispatcher: create(tls) };
      return known.dispatcher;
    },
    close: async () => {
      await known?.dispatcher.destroy();
    },
  };
}

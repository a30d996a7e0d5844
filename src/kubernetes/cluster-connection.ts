import type { RequestOptions } from 'node:https';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { messageOf } from '../core/failure.ts';
import { ApiFailure } from './api-failure.ts';

/** Where the API server is and how we show who we are. */
export interface ClusterConnection {
  /** `https://10.0.0.1:443`, with the path that a proxy before it wants, without a slash at the end. */
  readonly server: string;
  /** The namespace that the configuration names: in a pod that of the service account. */
  readonly namespace: string | undefined;
  /** The headers of a request now (tokens are read again as they rotate) and the dispatcher that dials with the TLS material of now. */
  prepare(): Promise<PreparedConnection>;
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
export async function openClusterConnection(kubeconfig: string | undefined): Promise<ClusterConnection> {
  // The client's package takes tens of megabytes: loaded only where there is a cluster.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromCluster();
    else config.loadFromFile(kubeconfig);
  } catch (cause) {
    const what = kubeconfig === undefined ? "the pod's service account" : `the kubeconfig ${kubeconfig}`;
    // What is wrong with YAML is said with the lines around it, and a token may stand in them.
    const [said = ''] = messageOf(cause).split('\n', 1);
    throw new ApiFailure('api_config', `${what} cannot be read: ${said}`);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null || !URL.canParse(cluster.server))
    throw new ApiFailure(
      'api_config',
      `the current context of ${kubeconfig ?? 'the pod'} names no cluster with a server`,
    );
  const dispatchers = createDispatchers(cluster.proxyUrl);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    prepare: async () => {
      const options: RequestOptions = {};
      try {
        await config.applyToHTTPSOptions(options);
      } catch (cause) {
        // What is wrong with JSON is said with a piece of it, and what a credential plugin answers is a credential.
        const said = cause instanceof SyntaxError ? 'the credential plugin does not answer JSON' : messageOf(cause);
        throw new ApiFailure('api_config', `no credentials for the API server: ${said}`);
      }
      return { headers: headersOf(options), dispatcher: dispatchers.of(options) };
    },
    close: () => dispatchers.close(),
  };
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  const given = Object.entries(headers ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name.toLowerCase(), value.trim()] as const] : [],
  );
  return { ...basic, ...Object.fromEntries(given) };
}

interface Dispatchers {
  of(options: RequestOptions): Dispatcher;
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
    of: (options) => {
      const tls = tlsMaterial(options);
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

type TlsMaterial = Pick<
  RequestOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'
>;

function tlsMaterial(options: RequestOptions): TlsMaterial {
  const names = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'rejectUnauthorized', 'servername'] as const;
  return Object.fromEntries(names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));
}

import type { RequestOptions } from 'node:https';
import type { ClusterAccess, TlsMaterial } from './cluster-access.ts';

/**
 * Whatever a kubeconfig can say, credential plugins too, by its current context. Rejects where the file cannot be read or names no cluster
 * with a server.
 */
export async function openClientNodeAccess(kubeconfig: string): Promise<ClusterAccess> {
  // The package takes tens of megabytes: loaded only where a kubeconfig needs it.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('its current context names no cluster');
  return {
    server: cluster.server,
    proxyUrl: cluster.proxyUrl,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    read: async () => {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      return { headers: headersOf(options), tls: tlsMaterial(options) };
    },
  };
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const basic = typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
  const given = Object.entries(headers ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name.toLowerCase(), value.trim()] as const] : [],
  );
  return { ...basic, ...Object.fromEntries(given) };
}

function tlsMaterial(options: RequestOptions): TlsMaterial {
  const names = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'rejectUnauthorized', 'servername'] as const;
  return Object.fromEntries(names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));
}

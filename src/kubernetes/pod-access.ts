import { isIPv6 } from 'node:net';
import type { Clock } from '../core/ports.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { createRotatedFile } from './rotated-file.ts';

export interface PodSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the kubelet puts the token, the root of the API server's certificate and the namespace. */
  readonly accountFolder: string;
}

export const podSurroundings: PodSurroundings = {
  environment: process.env,
  accountFolder: '/var/run/secrets/kubernetes.io/serviceaccount',
};

/**
 * A pod's service account, without the client's package, which takes more memory than a thousand policies. Always TLS: a token goes over
 * nothing else. Rejects outside of a pod, and where the account's files are not mounted.
 */
export async function openPodAccess(
  clock: Clock,
  { environment, accountFolder }: PodSurroundings = podSurroundings,
): Promise<ClusterAccess> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port)
    throw new Error('this is no pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set');
  const [ca, token, namespace] = ['ca.crt', 'token', 'namespace'].map((name) =>
    createRotatedFile(`${accountFolder}/${name}`, clock),
  );
  const read = async (): ReturnType<ClusterAccess['read']> => ({
    headers: { authorization: `Bearer ${(await token?.read())?.trim()}` },
    tls: { ca: await ca?.read() },
  });
  await read();
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    proxyUrl: undefined,
    // Not every account says it; then the settings must.
    namespace: (await namespace?.read().catch(() => undefined))?.trim(),
    read,
    renew: () => token?.renew(),
  };
}

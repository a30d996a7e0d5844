import type { Environment } from '../../../src/dev/install-in-cache.ts';
import { etcdPart } from '../../tools/parts/etcd.ts';
import { helm3Part } from '../../tools/parts/helm3.ts';
import { kubeApiserverPart } from '../../tools/parts/kube-apiserver.ts';
import { helm4Part, kubectlPart } from '../../tools/parts/kubectl-layer.ts';

const parts = {
  etcd: etcdPart,
  kubeApiserver: kubeApiserverPart,
  kubectl: kubectlPart,
  helm3: helm3Part,
  helm4: helm4Part,
};

/** The paths of the programs that a cluster is made of. */
export type ClusterParts = Readonly<Record<keyof typeof parts, string>>;

/** The programs that `npm test` found or brought; else the names of those that are missing. */
export async function findClusterParts(environment: Environment): Promise<ClusterParts | readonly string[]> {
  const found: Record<string, string | undefined> = {};
  for (const [key, part] of Object.entries(parts)) found[key] = await part.find(environment);
  const { etcd, kubeApiserver, kubectl, helm3, helm4 } = found;
  if (etcd && kubeApiserver && kubectl && helm3 && helm4) return { etcd, kubeApiserver, kubectl, helm3, helm4 };
  return Object.entries(parts).flatMap(([key, part]) => (found[key] === undefined ? [part.name] : []));
}

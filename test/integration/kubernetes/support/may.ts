import { at } from '../../../support/kubernetes/chart.ts';
import type { Cluster, ServiceAccount } from '../../../support/kubernetes/cluster.ts';

/** What may be asked of an API server: in a namespace, or of the cluster where that is undefined. */
export interface Deed {
  readonly verb: string;
  /** `apps/deployments`, `portcullis.dev/accesspolicies/status`; a leading slash is the core group. */
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

export function describeDeed({ verb, resource, namespace = 'cluster', name }: Deed): string {
  return `${namespace}: ${verb} ${resource}${name === undefined ? '' : ` ${name}`}`;
}

/** The deeds that the account may do, in words: what the API server answers to its own token. */
export async function whatMay(
  cluster: Cluster,
  account: ServiceAccount,
  deeds: readonly Deed[],
): Promise<readonly string[]> {
  const token = await cluster.serviceAccountToken(account);
  const allowed: string[] = [];
  for (const deed of deeds) if (await may(cluster, token, deed)) allowed.push(describeDeed(deed));
  return allowed.toSorted();
}

async function may(cluster: Cluster, token: string, { verb, resource, namespace, name }: Deed): Promise<boolean> {
  const [group = '', kind = '', subresource = ''] = resource.split('/');
  const attributes = { verb, group, resource: kind, subresource, namespace: namespace ?? '', name: name ?? '' };
  const answer = await cluster.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: attributes },
    },
    token,
  });
  const allowed = at(answer.body, 'status.allowed');
  if (typeof allowed !== 'boolean')
    throw new Error(`the answer to ${describeDeed({ verb, resource })} is ${answer.status}`);
  return allowed;
}

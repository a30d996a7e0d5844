import type { Cluster } from './cluster.ts';

const rules = `
rules:
- {apiGroups: [portcullis.dev], resources: [accesspolicies, clusteraccesspolicies, identityproviders, clusteridentityproviders], verbs: [get, list, watch]}
- {apiGroups: [portcullis.dev], resources: [accesspolicies/status, clusteraccesspolicies/status, identityproviders/status, clusteridentityproviders/status], verbs: [patch]}
- {apiGroups: [""], resources: [configmaps], verbs: [get, list, watch]}
- {apiGroups: [gateway.networking.k8s.io], resources: [httproutes, grpcroutes], verbs: [get, list, watch]}
- {apiGroups: [events.k8s.io], resources: [events], verbs: [create]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, list, watch, create, update, patch, delete]}
`;

/** Makes the account portcullis/portcullis with what `serve` needs and nothing more; answers a kubeconfig of it. */
export async function createServiceAccount(cluster: Cluster): Promise<string> {
  await cluster.apply(`
{apiVersion: v1, kind: Namespace, metadata: {name: portcullis}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: portcullis, namespace: portcullis}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: portcullis}
${rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: portcullis}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: portcullis}
subjects: [{kind: ServiceAccount, name: portcullis, namespace: portcullis}]
`);
  const token = await cluster.serviceAccountToken({ namespace: 'portcullis', name: 'portcullis' });
  return cluster.writeKubeconfig('portcullis', token);
}

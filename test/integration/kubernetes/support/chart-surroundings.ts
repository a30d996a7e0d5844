/** What a cluster has besides Portcullis that the chart's objects ask for. */

/** A CRD of a kind of others that lets everything pass. */
function looseKind(group: string, version: string, kind: string): string {
  const plural = `${kind.toLowerCase()}s`;
  return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ${plural}.${group}
  annotations: {api-approved.kubernetes.io: "unapproved, for tests"}
spec:
  group: ${group}
  scope: Namespaced
  names: {kind: ${kind}, plural: ${plural}, singular: ${kind.toLowerCase()}}
  versions:
  - name: ${version}
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, required: [spec], properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}
`;
}

/** Kinds of cert-manager and of the Prometheus operator, and a runtime class. */
export const otherKinds = [
  looseKind('cert-manager.io', 'v1', 'Certificate'),
  looseKind('monitoring.coreos.com', 'v1', 'ServiceMonitor'),
  looseKind('monitoring.coreos.com', 'v1', 'PodMonitor'),
  looseKind('monitoring.coreos.com', 'v1', 'PrometheusRule'),
  'apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: gvisor}\nhandler: runsc\n',
].join('---\n');

/** Namespaces that enforce the pod security standard "restricted", and warn of what would break it. */
export function restrictedNamespaces(...names: readonly string[]): string {
  return names
    .map(
      (name) => `apiVersion: v1
kind: Namespace
metadata:
  name: ${name}
  labels: {pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/warn: restricted}
`,
    )
    .join('---\n');
}

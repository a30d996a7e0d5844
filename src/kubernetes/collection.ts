import { apiGroup, apiVersion } from '../policy/parse-document.ts';
import { gatewayGroup } from '../policy/read-route.ts';
import type { MaterialRef, SelectedMaterialRef } from '../policy/spec.ts';
import { byHand, isApiFailure } from './api-failure.ts';
import { clientBounds, documentBounds, materialBounds, routeBounds, type ObjectBounds } from './object-bounds.ts';

/** A list of objects that the API server serves: a kind, of the cluster or of a namespace, whole or selected. */
export interface Collection {
  /** For people: `accesspolicies of the namespace shop`. */
  readonly name: string;
  readonly kind: string;
  readonly apiVersion: string;
  /** The plural that RBAC knows: `accesspolicies`. */
  readonly resource: string;
  readonly group: string;
  /** Undefined for all namespaces, and for kinds of the cluster. */
  readonly namespace: string | undefined;
  readonly path: string;
  /** `labelSelector` or `fieldSelector`, where there is one. */
  readonly query: Readonly<Record<string, string>>;
  /** Of each object; what is larger is not read whole. */
  readonly bounds: ObjectBounds;
}

const plurals = {
  AccessPolicy: 'accesspolicies',
  ClusterAccessPolicy: 'clusteraccesspolicies',
  IdentityProvider: 'identityproviders',
  ClusterIdentityProvider: 'clusteridentityproviders',
} as const;

export type OurKind = keyof typeof plurals;
export const ourKinds = [
  'AccessPolicy',
  'ClusterAccessPolicy',
  'IdentityProvider',
  'ClusterIdentityProvider',
] as const satisfies readonly OurKind[];

/** The plural of a kind of ours, as the API server's paths and RBAC have it. */
export function pluralOf(kind: string): string {
  const known = ourKinds.find((one) => one === kind);
  return known === undefined ? `${kind.toLowerCase()}s` : plurals[known];
}

/** All objects of a kind of ours, of one namespace or of all; `labelSelector` empty for all. */
export function policyCollection(kind: OurKind, namespace: string | undefined, labelSelector: string): Collection {
  const isOfCluster = kind.startsWith('Cluster');
  const within = isOfCluster || namespace === undefined ? '' : `/namespaces/${namespace}`;
  const resource = plurals[kind];
  return {
    name: within === '' ? resource : `${resource} of the namespace ${namespace}`,
    kind,
    apiVersion,
    resource,
    group: apiGroup,
    namespace: within === '' ? undefined : namespace,
    path: `/apis/${apiVersion}${within}/${resource}`,
    query: labelSelector === '' ? {} : { labelSelector },
    bounds: documentBounds,
  };
}

/** One Secret, ConfigMap or route by its name: whoever may read only this one may watch it so. Or the Secrets that have some labels. */
export function materialCollection(ref: MaterialRef): Collection {
  const { kind, namespace } = ref;
  const { group, version, resource } = referents[kind];
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return {
    name: 'name' in ref ? `the ${kind} ${namespace}/${ref.name}` : `the Secrets ${namespace}?${labelsOf(ref)}`,
    kind,
    apiVersion: group === '' ? version : `${group}/${version}`,
    resource,
    group,
    namespace,
    path: `${root}/namespaces/${namespace}/${resource}`,
    query: 'name' in ref ? { fieldSelector: `metadata.name=${ref.name}` } : { labelSelector: labelsOf(ref) },
    bounds: boundsOf(ref),
  };
}

function boundsOf(ref: MaterialRef): ObjectBounds {
  if (!('name' in ref)) return clientBounds(ref.labels.map(([name]) => name));
  return ref.kind === 'Secret' || ref.kind === 'ConfigMap' ? materialBounds : routeBounds;
}

function labelsOf({ labels }: SelectedMaterialRef): string {
  return labels.map(([name, value]) => `${name}=${value}`).join(',');
}

const referents = {
  Secret: { group: '', version: 'v1', resource: 'secrets' },
  ConfigMap: { group: '', version: 'v1', resource: 'configmaps' },
  HTTPRoute: { group: gatewayGroup, version: 'v1', resource: 'httproutes' },
  GRPCRoute: { group: gatewayGroup, version: 'v1', resource: 'grpcroutes' },
} as const satisfies Record<MaterialRef['kind'], object>;

/** The remedy that an operator has for a refusal of the API server; undefined where there is none but waiting. */
export function sayWhatIsMissing(collection: Collection, thrown: unknown): string | undefined {
  const { resource, group, namespace } = collection;
  if (isApiFailure(thrown, 'api_not_found') && group === apiGroup)
    return `the CRD of ${resource}.${group} is not installed: it comes with the release that has crds.enabled, and where none has, apply deploy/crds.yaml`;
  if (isApiFailure(thrown, 'api_not_found') && group === gatewayGroup)
    return `the CRD of ${resource}.${group} is not installed: install the Gateway API, or attach the policies otherwise`;
  if (isApiFailure(thrown, 'api_forbidden')) {
    const where = namespace === undefined ? 'a ClusterRole' : `a Role in the namespace ${namespace}`;
    const what = group === '' ? resource : `${resource}.${group}`;
    return `the service account needs get, list and watch on ${what} by ${where}; ${chartRemedy(collection)}${byHand}`;
  }
  return undefined;
}

/** By which of its values the chart grants what reading the collection needs. */
function chartRemedy({ kind, namespace }: Collection): string {
  const ofNamespace = namespace === undefined ? '' : ` and the namespace in watchNamespaces`;
  const ofSidecar = 'to a sidecar with the service account of its pod in sidecar.serviceAccounts';
  switch (kind) {
    case 'ConfigMap':
      return `the chart grants it with rbac.configMaps.enabled${ofNamespace}, and where rbac.configMaps.names is set with the name among these, to a sidecar with sidecar.configMaps and the service account of its pod in sidecar.serviceAccounts`;
    case 'Secret':
      return `the chart grants it with rbac.secrets.enabled${ofNamespace}, and where rbac.secrets.names is set with the name among these, to a sidecar with sidecar.secrets and the service account of its pod in sidecar.serviceAccounts`;
    case 'ClusterAccessPolicy':
    case 'ClusterIdentityProvider':
      return `the chart grants it with rbac.create and rbac.scope: cluster, ${ofSidecar}; where nobody may grant it, rbac.scope: namespaced of the chart (clusterKinds off) does without the floor`;
    case 'HTTPRoute':
    case 'GRPCRoute':
      return `the chart grants it with rbac.create${ofNamespace}, to a sidecar with sidecar.routes and the service account of its pod in sidecar.serviceAccounts`;
    default:
      return namespace === undefined
        ? 'the chart grants it with rbac.create; where nobody may grant it for all namespaces, name some in watchNamespaces'
        : `the chart grants it with rbac.create${ofNamespace}, ${ofSidecar}`;
  }
}

import type { Cluster } from './cluster.ts';
import { waitEstablished } from './wait-established.ts';

const kinds = [
  { kind: 'HTTPRoute', plural: 'httproutes', singular: 'httproute' },
  { kind: 'GRPCRoute', plural: 'grpcroutes', singular: 'grpcroute' },
] as const;

/** Definitions of the two kinds of route under the names of the Gateway API, with the few fields that matter to us and no validation. */
function routeCrd({ kind, plural, singular }: (typeof kinds)[number]): object {
  const text = { type: 'string' };
  const parentRef = {
    type: 'object',
    properties: { group: text, kind: text, namespace: text, name: text, sectionName: text, port: { type: 'integer' } },
  };
  const spec = {
    type: 'object',
    properties: {
      hostnames: { type: 'array', items: text },
      parentRefs: { type: 'array', items: parentRef },
      rules: { type: 'array', items: { type: 'object', properties: { name: text } } },
    },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.gateway.networking.k8s.io`,
      annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/gateway-api/pull/2466' },
    },
    spec: {
      group: 'gateway.networking.k8s.io',
      scope: 'Namespaced',
      names: { kind, plural, singular, listKind: `${kind}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  };
}

/** Installs them and waits until the server serves them. */
export async function installRouteCrds(cluster: Cluster): Promise<void> {
  await cluster.apply(kinds.map((kind) => JSON.stringify(routeCrd(kind))).join('\n---\n'));
  const names = kinds.map(({ plural }) => `crd/${plural}.gateway.networking.k8s.io`);
  await waitEstablished(cluster, ...names);
}

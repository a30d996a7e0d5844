import type { JsonObject } from '../../core/json.ts';
import { accessPolicySpec, clusterAccessPolicySpec } from './access-policy.ts';
import { clusterPolicyStatus, policyStatus, providerStatus } from './crd-status.ts';
import { identityProviderSpec } from './identity-provider.ts';
import type { Schema } from './json-schema.ts';
import { toCrdSchema } from './to-crd-schema.ts';

interface CrdNames {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortName: string;
}

interface CrdSource {
  readonly names: CrdNames;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly description: string;
  readonly spec: Schema;
  readonly status: JsonObject;
  readonly columns: readonly JsonObject[];
  readonly selectable: readonly string[];
}

const condition = (type: string, what: 'status' | 'reason'): string =>
  `.status.conditions[?(@.type=="${type}")].${what}`;
const column = (name: string, jsonPath: string, type = 'string', priority = 0): JsonObject => ({
  name,
  type,
  jsonPath,
  ...(priority === 0 ? {} : { priority }),
});

const accepted = column('Accepted', condition('Accepted', 'status'));
const programmed = column('Programmed', condition('Programmed', 'status'));
const reason = column('Reason', condition('Programmed', 'reason'));
const replicas = column('Replicas', '.status.replicas', 'string', 1);
const age = column('Age', '.metadata.creationTimestamp', 'date');

const policyColumns = [
  accepted,
  programmed,
  reason,
  column('Targets', '.status.targets'),
  column('Rules', '.status.rules', 'integer'),
  column('Mode', '.spec.mode', 'string', 1),
  replicas,
  age,
];
const providerColumns = [
  accepted,
  programmed,
  reason,
  column('Type', '.spec.type'),
  column('KeysLoaded', condition('KeysLoaded', 'status')),
  column('Keys', '.status.keys.count', 'integer'),
  replicas,
  age,
];

const sources: readonly CrdSource[] = [
  {
    names: { kind: 'AccessPolicy', plural: 'accesspolicies', singular: 'accesspolicy', shortName: 'acpol' },
    scope: 'Namespaced',
    description:
      'Who may do what on the hosts of a namespace. A request is denied unless exactly the rules of one policy allow it.',
    spec: accessPolicySpec,
    status: policyStatus,
    columns: policyColumns,
    selectable: ['.spec.mode', '.spec.attachment'],
  },
  {
    names: {
      kind: 'ClusterAccessPolicy',
      plural: 'clusteraccesspolicies',
      singular: 'clusteraccesspolicy',
      shortName: 'cacpol',
    },
    scope: 'Cluster',
    description: "The platform's floor: every rule of it that matches a request must hold, and none of them allows.",
    spec: clusterAccessPolicySpec,
    status: clusterPolicyStatus,
    columns: policyColumns,
    selectable: ['.spec.mode'],
  },
  {
    names: { kind: 'IdentityProvider', plural: 'identityproviders', singular: 'identityprovider', shortName: 'idp' },
    scope: 'Namespaced',
    description: 'Who says who somebody is, for the AccessPolicies of its own namespace.',
    spec: identityProviderSpec,
    status: providerStatus,
    columns: providerColumns,
    selectable: ['.spec.type'],
  },
  {
    names: {
      kind: 'ClusterIdentityProvider',
      plural: 'clusteridentityproviders',
      singular: 'clusteridentityprovider',
      shortName: 'cidp',
    },
    scope: 'Cluster',
    description:
      'Who says who somebody is, for the AccessPolicies of all namespaces. What it refers to is in the namespace of the service.',
    spec: identityProviderSpec,
    status: providerStatus,
    columns: providerColumns,
    selectable: ['.spec.type'],
  },
];

export const crdGroup = 'portcullis.dev';

/** The CustomResourceDefinitions of all kinds, made of the schema that the parser uses. */
export function createCrds(): readonly JsonObject[] {
  return sources.map(toCrd);
}

function toCrd({ names, scope, description, spec, status, columns, selectable }: CrdSource): JsonObject {
  const { kind, plural, singular, shortName } = names;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${crdGroup}` },
    spec: {
      group: crdGroup,
      scope,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [shortName], categories: ['portcullis'] },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [...columns],
          selectableFields: selectable.map((jsonPath) => ({ jsonPath })),
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: 'portcullis.dev/v1alpha1' },
                kind: { type: 'string', description: kind },
                metadata: { type: 'object' },
                spec: toCrdSchema(spec),
                status,
              },
            },
          },
        },
      ],
    },
  };
}

import { describe, expect, it } from 'vitest';
import { ApiFailure, sayWhyNotWritten } from '../../../src/kubernetes/api-failure.ts';
import { materialCollection, policyCollection, sayWhatIsMissing } from '../../../src/kubernetes/collection.ts';

const forbidden = new ApiFailure('api_forbidden', 'PATCH: 403 User "u" cannot patch resource "x"');
const needs = (what: string, where: string, remedy: string): string =>
  `the service account needs get, list and watch on ${what} by ${where}; the chart grants it with ${remedy}; with rbac.create off write the role yourself (docs/kubernetes.md)`;
const toSidecar = 'to a sidecar with the service account of its pod in sidecar.serviceAccounts';
const inShop = 'a Role in the namespace shop';
const keys = { namespace: 'shop', name: 'keys' };

describe('what RBAC refuses is told with the value of the chart that grants it', () => {
  it.each([
    [
      policyCollection('AccessPolicy', undefined, ''),
      needs(
        'accesspolicies.portcullis.dev',
        'a ClusterRole',
        'rbac.create; where nobody may grant it for all namespaces, name some in watchNamespaces',
      ),
    ],
    [
      policyCollection('IdentityProvider', 'shop', ''),
      needs(
        'identityproviders.portcullis.dev',
        inShop,
        `rbac.create and the namespace in watchNamespaces, ${toSidecar}`,
      ),
    ],
    [
      policyCollection('ClusterAccessPolicy', undefined, ''),
      needs(
        'clusteraccesspolicies.portcullis.dev',
        'a ClusterRole',
        `rbac.create and rbac.scope: cluster, ${toSidecar}; where nobody may grant it, rbac.scope: namespaced of the chart (clusterKinds off) does without the floor`,
      ),
    ],
    [
      materialCollection({ kind: 'ConfigMap', ...keys }),
      needs(
        'configmaps',
        inShop,
        'rbac.configMaps.enabled and the namespace in watchNamespaces, and where rbac.configMaps.names is set with the name among these, to a sidecar with sidecar.configMaps and the service account of its pod in sidecar.serviceAccounts',
      ),
    ],
    [
      materialCollection({ kind: 'HTTPRoute', ...keys }),
      needs(
        'httproutes.gateway.networking.k8s.io',
        inShop,
        'rbac.create and the namespace in watchNamespaces, to a sidecar with sidecar.routes and the service account of its pod in sidecar.serviceAccounts',
      ),
    ],
  ])('of $name', (collection, said) => {
    expect(sayWhatIsMissing(collection, forbidden)).toBe(said);
  });

  it('also where something is to be written', () => {
    expect(sayWhyNotWritten(forbidden)).toBe(
      'PATCH: 403 User "u" cannot patch resource "x"; the chart grants it with rbac.create and publishStatus, and publishStatus off does without; with rbac.create off write the role yourself (docs/kubernetes.md)',
    );
  });

  it('of a status that the CRDs do not know with who upgrades them', () => {
    const failure = new ApiFailure('api_refused', 'PATCH: 500 .status.keys: field not declared in schema');
    expect(sayWhyNotWritten(failure)).toBe(
      'PATCH: 500 .status.keys: field not declared in schema; the CRDs are older than this service: upgrade the release that owns them, and where none does, apply deploy/crds.yaml',
    );
  });

  it('and nothing of it where something else is wrong', () => {
    const failure = new ApiFailure('api_unavailable', 'PATCH: 500');
    expect([
      sayWhyNotWritten(failure),
      sayWhatIsMissing(policyCollection('AccessPolicy', 'shop', ''), failure),
    ]).toEqual(['PATCH: 500', undefined]);
  });
});

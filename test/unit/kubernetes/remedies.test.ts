import { describe, expect, it } from 'vitest';
import { ApiFailure, sayWhyNotWritten } from '../../../src/kubernetes/api-failure.ts';
import { materialCollection, policyCollection, sayWhatIsMissing } from '../../../src/kubernetes/collection.ts';

const forbidden = new ApiFailure('api_forbidden', 'PATCH: 403 User "u" cannot patch resource "x"');
const needs = (what: string, where: string, remedy: string): string =>
  `the service account needs get, list and watch on ${what} by ${where}; the chart grants it with ${remedy}`;
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
      needs('identityproviders.portcullis.dev', inShop, 'rbac.create and the namespace in watchNamespaces'),
    ],
    [
      policyCollection('ClusterAccessPolicy', undefined, ''),
      needs(
        'clusteraccesspolicies.portcullis.dev',
        'a ClusterRole',
        'rbac.create and rbac.scope: cluster; where nobody may grant it, clusterKinds off does without the floor',
      ),
    ],
    [
      materialCollection({ kind: 'ConfigMap', ...keys }),
      needs(
        'configmaps',
        inShop,
        'rbac.configMaps.enabled and the namespace in watchNamespaces, and where rbac.configMaps.names is set with the name among these, to a sidecar with sidecar.configMaps',
      ),
    ],
    [
      materialCollection({ kind: 'HTTPRoute', ...keys }),
      needs(
        'httproutes.gateway.networking.k8s.io',
        inShop,
        'rbac.create and the namespace in watchNamespaces, to a sidecar with sidecar.routes',
      ),
    ],
  ])('of $name', (collection, said) => {
    expect(sayWhatIsMissing(collection, forbidden)).toBe(said);
  });

  it('also where something is to be written', () => {
    expect(sayWhyNotWritten(forbidden)).toBe(
      'PATCH: 403 User "u" cannot patch resource "x"; the chart grants it with rbac.create and publishStatus, and publishStatus off does without',
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

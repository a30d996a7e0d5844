import { expect, test } from 'vitest';
import { generateDocs, staleDocs } from '../../tools/generate-docs.ts';

test('the generated pages and CRDs are what the tables say, and the guides show the files of deploy (else run test/tools/generate-docs.ts)', async () => {
  expect([...(await generateDocs()).keys()]).toEqual([
    'docs/cli.md',
    'docs/configuration.md',
    'docs/reference/access-policy.md',
    'docs/reference/cluster-access-policy.md',
    'docs/reference/identity-provider.md',
    'docs/reference/policy-test.md',
    'deploy/crds.yaml',
    'helm/portcullis/crds-generated/accesspolicies.yaml',
    'helm/portcullis/crds-generated/clusteraccesspolicies.yaml',
    'helm/portcullis/crds-generated/identityproviders.yaml',
    'helm/portcullis/crds-generated/clusteridentityproviders.yaml',
    'helm/portcullis/README.md',
    'docs/envoy.md',
    'docs/istio.md',
    'docs/envoy-gateway.md',
  ]);
  expect(await staleDocs()).toEqual([]);
});

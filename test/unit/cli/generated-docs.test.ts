import { expect, test } from 'vitest';
import { generateDocs, staleDocs } from '../../tools/generate-docs.ts';

test('the generated pages and CRDs are what the tables say (else run test/tools/generate-docs.ts)', async () => {
  expect([...(await generateDocs()).keys()]).toEqual([
    'docs/cli.md',
    'docs/configuration.md',
    'docs/reference/access-policy.md',
    'docs/reference/cluster-access-policy.md',
    'docs/reference/identity-provider.md',
    'deploy/crds.yaml',
    'helm/portcullis/crds-generated/accesspolicies.yaml',
    'helm/portcullis/crds-generated/clusteraccesspolicies.yaml',
    'helm/portcullis/crds-generated/identityproviders.yaml',
    'helm/portcullis/crds-generated/clusteridentityproviders.yaml',
    'helm/portcullis/README.md',
  ]);
  expect(await staleDocs()).toEqual([]);
});

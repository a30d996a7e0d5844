import { expect, test } from 'vitest';
import type { BasicProviderSpec } from '../../../src/policy/provider-spec.ts';
import { gatherMaterial, missingMaterials } from '../../../src/policy/providers/provider-material.ts';
import { secretOf } from '../identity/client-fixtures.ts';

const spec: BasicProviderSpec = {
  kind: 'IdentityProvider',
  type: 'Basic',
  namespace: 'shop',
  name: 'staff',
  users: { namespace: 'shop', name: 'htpasswd', key: 'users' },
  from: [{ in: 'header', name: 'authorization', scheme: 'Basic' }],
};

test.each([
  ['is there', false, 1, []],
  ['is being deleted, though a finalizer keeps its object', true, 0, [{ isWhole: true }]],
])('S4 a Secret that %s', (_title, isLeaving, texts, missing) => {
  const secret = secretOf('htpasswd', { data: { users: 'alice:…' }, isLeaving });
  const find = { get: (key: string) => (key === 'Secret shop/htpasswd' ? secret : undefined), select: () => [] };
  expect(gatherMaterial(spec, find).texts.size).toBe(texts);
  expect(missingMaterials(spec, find)).toMatchObject(missing);
});

import { expect, test } from 'vitest';
import type { CatalogEntry } from '../../../src/engine/catalog-entry.ts';
import { createPolicyCompiler } from '../../../src/engine/policy-compiler.ts';
import { parseDocument } from '../../../src/policy/parse-document.ts';
import { documentsOf } from '../../support/policy-test.ts';

function entryOf(paths: readonly string[], conditions: readonly string[]): CatalogEntry {
  const matches = paths.map((path) => `{path: {type: RegularExpression, value: "${path}"}}`);
  const when = conditions.map((expression) => `{expression: "${expression}"}`);
  const [document] = documentsOf(`
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: a, namespace: shop}
spec: {hosts: [a.example], rules: [{name: r, access: Denied, matches: [${matches.join()}], when: [${when.join()}]}]}
`);
  const parsed = document && parseDocument(document, { serviceNamespace: 'portcullis' });
  if (document === undefined || parsed?.kind !== 'accepted') throw new Error(JSON.stringify(parsed));
  return {
    key: 'AccessPolicy shop/a',
    inForce: parsed.spec,
    lastGood: parsed.spec,
    lastGoodVersion: undefined,
    refused: undefined,
    denying: undefined,
    holds: [],
    conflicts: [],
    problems: [],
    versions: [{ document, parsed }],
    isUnread: false,
  };
}

/** How often requests are let through while the policy is compiled. */
function pausesOf(entry: CatalogEntry): number {
  const steps = createPolicyCompiler().prepare([entry.key], () => entry, new Map());
  for (let pauses = 0; ; pauses++) if (steps.next().done === true) return pauses;
}

test('every regular expression and every expression of a policy is compiled in a step of its own', () => {
  const paths = Array.from({ length: 10 }, (_, i) => `/step${i}/[a-z]+`);
  const conditions = Array.from({ length: 16 }, (_, i) => `request.path.matches('^/step${i}[0-9]{100}')`);
  const one = pausesOf(entryOf(paths.slice(0, 1), conditions.slice(0, 1)));
  expect(pausesOf(entryOf(paths, conditions)) - one).toBeGreaterThanOrEqual(9 + 15);
});

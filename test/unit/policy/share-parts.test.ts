import { expect, test } from 'vitest';
import { parseDocument } from '../../../src/policy/parse-document.ts';
import type { AccessPolicySpec } from '../../../src/policy/spec.ts';

function specOf(name: string, role: string): AccessPolicySpec {
  const value = {
    apiVersion: 'portcullis.dev/v1alpha1',
    kind: 'AccessPolicy',
    metadata: { name, namespace: 'shop' },
    spec: {
      hosts: [`${name}.example`],
      authentication: { providers: [{ name: 'idp' }] },
      rules: [
        {
          name: 'read',
          matches: [{ path: { type: 'PathPrefix', value: '/' }, methods: ['GET'] }],
          access: 'Restricted',
          authorization: { roles: { anyOf: [role] } },
        },
      ],
    },
  };
  const placeOf = (): { source: string; line: undefined; column: undefined } => ({
    source: name,
    line: undefined,
    column: undefined,
  });
  const parsed = parseDocument({ value, source: name, problems: [], placeOf }, { serviceNamespace: 'portcullis' });
  if (parsed.kind !== 'accepted' || parsed.spec.kind !== 'AccessPolicy') throw new Error('refused');
  return parsed.spec;
}

test('two policies keep what they have in common once, and what they do not each for itself', () => {
  const [a, b, c] = [specOf('a', 'reader'), specOf('b', 'reader'), specOf('c', 'clerk')];
  expect(a.rules[0]?.authorization).toBe(b.rules[0]?.authorization);
  expect(a.rules[0]?.upstream).toBe(b.rules[0]?.upstream);
  expect(a.providers).toBe(b.providers);
  expect(c.rules[0]?.authorization).not.toBe(a.rules[0]?.authorization);
  expect(c.rules[0]?.authorization?.roles).toEqual({ allOf: [], anyOf: ['clerk'] });
  expect(a.hosts).toEqual(['a.example']);
  expect(b.hosts).toEqual(['b.example']);
});

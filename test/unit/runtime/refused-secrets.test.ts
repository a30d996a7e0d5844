import { expect, test } from 'vitest';
import { validateSources } from '../../../src/runtime/validate.ts';

const documents = `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: keys, namespace: shop}
spec:
  type: APIKey
  apiKey:
    from: [{header: x-api-key}]
    secretSelector: {matchLabels: {client: "1"}}
---
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: partners, namespace: shop}
spec: {type: SharedSecretJWT, sharedSecretJwt: {secretSelector: {matchLabels: {consumer: "1"}}}}
`;
const secret = (name: string, label: string, data: string, namespace = 'shop'): string =>
  `---\napiVersion: v1\nkind: Secret\nmetadata: {name: ${name}, namespace: ${namespace}, labels: {${label}: "1"}}\nstringData: {${data}}\n`;
const consumer = secret('c', 'consumer', `key: c, secret: ${'s'.repeat(32)}`);
const told = async (text: string): Promise<readonly string[]> => {
  const { problems } = await validateSources(['-'], () => Promise.resolve(text));
  return problems.map(({ severity, code, field, message }) => `${severity} ${code} ${field}: ${message}`);
};

test('validate warns at the provider of Secrets that cannot be used beside each other', async () => {
  const key = 'api-key: 0123456789abcdef';
  expect(await told(documents + secret('a', 'client', key) + secret('b', 'client', key) + consumer)).toEqual([
    'warning secret-refused spec.apiKey.secretSelector: what its selector takes cannot all be used: Secrets a, b have the same API key, so that it works for none of them',
  ]);
});

test('validate warns of the Secrets that a provider would refuse, and of no other', async () => {
  const good =
    secret('a', 'client', 'api-key: 0123456789abcdef') + secret('b', 'consumer', `key: b, secret: ${'s'.repeat(32)}`);
  expect(await told(documents + good)).toEqual([]);
  const others = secret('c', 'other', 'api-key: x') + secret('d', 'client', 'api-key: x', 'team-b');
  expect(await told(documents + good + others)).toEqual([]);
  const bad = secret('e', 'client', 'api-key: canary') + secret('f', 'consumer', 'key: f, secret: canary');
  expect(await told(documents + good + bad)).toEqual([
    'warning secret-refused metadata.name: the IdentityProvider shop/keys cannot use it: Secret e: the API key has less than 16 characters',
    'warning secret-refused metadata.name: the IdentityProvider shop/partners cannot use it: Secret f: its secret has 6 bytes, and at least 32 for HS256 are needed (RFC 7518 3.2)',
  ]);
});

import { expect, test } from 'vitest';
import { validateSources } from '../../../src/runtime/validate.ts';

const head = (kind: string, name: string, more = ''): string =>
  `---\napiVersion: portcullis.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop${more}}\n`;
async function told(...documents: readonly string[]): Promise<readonly string[]> {
  const { problems } = await validateSources(['-'], () => Promise.resolve(documents.join('')));
  return problems.map(({ severity, code, field, message }) => `${severity} ${code} ${field}: ${message}`);
}

const policy = (length: number, more = ''): string => {
  const rules = Array.from({ length: 64 }, (_, index) => ({
    name: `r${index}`,
    matches: Array.from({ length: 16 }, (_, at) => ({
      path: { type: 'Exact', value: `/${index}/${at}/${'x'.repeat(length)}` },
    })),
    access: 'Public',
  }));
  return `${head('AccessPolicy', 'p', more)}spec: ${JSON.stringify({ hosts: ['a.example'], rules })}\n`;
};

test.each([
  [
    'larger than a cluster takes is told',
    policy(250),
    [
      'warning too-large : in a cluster the document is refused: it is larger than 256 KiB, or holds more than 32768 values',
    ],
  ],
  ['a little smaller is no news', policy(190), []],
  ['that is large by its annotations is no news', policy(1, `, annotations: {note: ${'x'.repeat(300_000)}}`), []],
])('a policy %s', async (_what, document, expected) => {
  expect(await told(document)).toEqual(expected);
});

test.each([
  [
    'larger than a cluster takes is told',
    12_500,
    [
      'warning secret-refused metadata.name: in a cluster the IdentityProvider shop/keys cannot use it: it is larger than 16 KiB',
    ],
  ],
  ['a little smaller is no news', 12_000, []],
])('the Secret of a client %s', async (_what, length, expected) => {
  const provider = `${head('IdentityProvider', 'keys')}spec: {type: APIKey, apiKey: {from: [{header: x-api-key}], secretSelector: {matchLabels: {app: shop}}}}\n`;
  const secret = (name: string, labels: string): string =>
    `---\napiVersion: v1\nkind: Secret\nmetadata: {name: ${name}, namespace: shop, labels: ${labels}}\nstringData: {api-key: ${name}-abcdefghijklmnopqrstuvwxyz012345, junk: ${'x'.repeat(length)}}\n`;
  // The other one is nobody's.
  expect(await told(provider, secret('acme', '{app: shop}'), secret('other', '{}'))).toEqual(expected);
});

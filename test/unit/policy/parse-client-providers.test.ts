import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readDocuments } from '../../../src/files/read-documents.ts';
import { parseDocument, type ParsedDocument } from '../../../src/policy/parse-document.ts';
import { needsOf, providerMaterialRefs } from '../../../src/policy/providers/provider-material.ts';
import { materialKey } from '../../../src/policy/spec.ts';

const settings = { serviceNamespace: 'portcullis' };

function provider(spec: string, kind = 'IdentityProvider'): ParsedDocument {
  const text = `apiVersion: portcullis.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: p, namespace: shop}\nspec: ${spec}\n`;
  const [document] = readDocuments('p.yaml', text);
  if (document === undefined) throw new Error('no document');
  return parseDocument(document, settings);
}

function contract(name: string): ParsedDocument {
  const file = 'test/contract/identity-providers.yaml';
  const document = readDocuments(file, readFileSync(file, 'utf8')).find(
    ({ value }) => (value as { metadata: { name: string } }).metadata.name === name,
  );
  if (document === undefined) throw new Error('no document');
  return parseDocument(document, settings);
}

const selector = 'secretSelector: {matchLabels: {a: b}}';
const apiKey = (part: string): string => `{type: APIKey, apiKey: {${part}}}`;
const shared = (part: string): string => `{type: SharedSecretJWT, sharedSecretJwt: {${part}}}`;

describe('the documents of the contract', () => {
  test('keys is a provider of type APIKey', () => {
    expect(contract('keys')).toEqual({
      kind: 'accepted',
      key: 'IdentityProvider shop/keys',
      problems: [],
      spec: {
        kind: 'IdentityProvider',
        type: 'APIKey',
        namespace: 'shop',
        name: 'keys',
        from: [
          { in: 'header', name: 'x-api-key', scheme: undefined },
          { in: 'query', name: 'api_key' },
        ],
        secrets: { namespace: 'shop', labels: [['portcullis.dev/api-key', 'true']] },
      },
    });
  });

  test('partners is one of type SharedSecretJWT, and its defaults are what it says', () => {
    const parsed = contract('partners');
    const spec = {
      kind: 'IdentityProvider',
      type: 'SharedSecretJWT',
      namespace: 'shop',
      name: 'partners',
      keyClaim: { in: 'claim', name: 'iss' },
      secrets: { namespace: 'shop', labels: [['portcullis.dev/consumer', 'true']] },
      secretEncoding: 'Plain',
      algorithms: ['HS256'],
      verifyNotBefore: true,
      from: [{ in: 'header', name: 'authorization', scheme: 'Bearer' }],
    };
    expect(parsed).toEqual({ kind: 'accepted', key: 'IdentityProvider shop/partners', problems: [], spec });
    expect(provider(shared(selector))).toMatchObject({
      spec: { ...spec, name: 'p', secrets: { namespace: 'shop', labels: [['a', 'b']] } },
    });
  });
});

describe('what is accepted', () => {
  test.each([
    [apiKey(`from: [{header: authorization, scheme: ApiKey}, {cookie: k}], ${selector}`)],
    [apiKey('from: [{header: x-api-key}], secretSelector: {matchLabels: {a: b, example.com/c: ""}}')],
    [shared(`${selector}, keyClaim: header:kid`)],
    [shared(`${selector}, keyClaim: "/ext/partner", secretEncoding: Base64, algorithms: [HS256, HS384, HS512]`)],
    [shared(`${selector}, verifyClaims: [exp]`)],
  ])('%s', (spec) => {
    expect(provider(spec).problems).toEqual([]);
  });

  test('verifyClaims without nbf leaves nbf alone', () => {
    expect(provider(shared(`${selector}, verifyClaims: [exp]`))).toMatchObject({ spec: { verifyNotBefore: false } });
    expect(provider(shared(`${selector}, verifyClaims: [nbf]`))).toMatchObject({ spec: { verifyNotBefore: true } });
  });

  test('the Secrets of a cluster provider are of the namespace of the service, and followed by their labels', () => {
    const parsed = provider(apiKey(`from: [{header: k}], ${selector}`), 'ClusterIdentityProvider');
    if (parsed.kind !== 'accepted' || !('type' in parsed.spec)) throw new Error('refused');
    expect(needsOf(parsed.spec)).toEqual({ keys: [], selector: { namespace: 'portcullis', labels: [['a', 'b']] } });
    expect(providerMaterialRefs(parsed.spec).map(materialKey)).toEqual(['Secret portcullis?a=b']);
  });
});

describe('what is refused', () => {
  test.each<[string, string]>([
    [apiKey(selector), 'missing-field'],
    [apiKey(`from: [], ${selector}`), 'invalid-value'],
    [apiKey('from: [{header: k}]'), 'missing-field'],
    [apiKey('from: [{header: k}], secretSelector: {}'), 'missing-field'],
    // Which would be every Secret of the namespace.
    [apiKey('from: [{header: k}], secretSelector: {matchLabels: {}}'), 'invalid-value'],
    [apiKey('from: [{header: k}], secretSelector: {matchExpressions: []}'), 'unknown-field'],
    [apiKey('from: [{header: k}], secretSelector: {matchLabels: {"a b": c}}'), 'invalid-value'],
    [apiKey('from: [{header: k}], secretSelector: {matchLabels: {a: "b,c=d"}}'), 'invalid-value'],
    [apiKey(`from: [{header: k}, {header: K}], ${selector}`), 'duplicate-name'],
    [apiKey(`from: [{header: cookie}], ${selector}`), 'forbidden-header'],
    [apiKey(`from: [{query: "a b"}], ${selector}`), 'invalid-value'],
    [apiKey(`from: [{header: k}], ${selector}, expires: never`), 'unknown-field'],
    [`{type: APIKey, sharedSecretJwt: {${selector}}}`, 'missing-field'],
    [`{type: APIKey, apiKey: {from: [{header: k}], ${selector}}, sharedSecretJwt: {${selector}}}`, 'invalid-value'],
    [shared('keyClaim: iss'), 'missing-field'],
    [shared(`${selector}, keyClaim: ""`), 'invalid-value'],
    [shared(`${selector}, keyClaim: header:alg`), 'invalid-value'],
    [shared(`${selector}, keyClaim: header:jku`), 'invalid-value'],
    [shared(`${selector}, keyClaim: "/a~2"`), 'invalid-value'],
    [shared(`${selector}, algorithms: [RS256]`), 'invalid-value'],
    [shared(`${selector}, algorithms: [none]`), 'invalid-value'],
    [shared(`${selector}, algorithms: []`), 'invalid-value'],
    [shared(`${selector}, algorithms: [HS256, HS256]`), 'invalid-value'],
    [shared(`${selector}, secretEncoding: Hex`), 'invalid-value'],
    [shared(`${selector}, verifyClaims: [aud]`), 'invalid-value'],
    [shared(`${selector}, verifyClaims: []`), 'invalid-value'],
    [shared(`${selector}, clockSkew: 1h`), 'unknown-field'],
  ])('%s', (spec, code) => {
    const parsed = provider(spec);
    expect([parsed.kind, parsed.problems.map((problem) => problem.code)]).toEqual([
      'refused',
      expect.arrayContaining([code]),
    ]);
  });
});

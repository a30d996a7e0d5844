import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toClusterDocument } from '../../../src/kubernetes/cluster-document.ts';
import { readSealedApiKey, sealApiKey } from '../../../src/policy/providers/sealed-api-key.ts';
import { parseOnce } from '../../../src/policy/parsed-elsewhere.ts';
import { createProblemList } from '../../../src/policy/problem-list.ts';
import { readMaterial, type Material } from '../../../src/policy/read-material.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { documentsOf } from '../../support/policy-test.ts';

const key = 'k-acme-0123456789abcdef';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const head = { kind: 'Secret', namespace: 'shop', name: 's' };
const meta = { namespace: 'shop', name: 's', uid: 'u', resourceVersion: '1', generation: 0, createdAt: 0 };

describe('an API key', () => {
  test('is kept as its SHA-256', () => {
    // `printf %s k-acme-0123456789abcdef | sha256sum`
    const hex = '6f0f8db1716f1a7909f09fef4ef9730dbcaa99df6f63e5f832f2122b27af2335';
    expect(sealApiKey(key)).toBe(`sha256:${hex}`);
    expect(readSealedApiKey(sealApiKey(key))).toEqual({ value: Buffer.from(hex, 'hex') });
  });

  test('of any text is sealed once, and never said in what is kept', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const sealed = sealApiKey(text);
        expect(sealApiKey(sealed)).toBe(sealed);
        expect(sealed).toMatch(/^(?:sha256:[0-9a-f]{64}|refused:(?:empty|short|long|form))$/);
        const read = readSealedApiKey(sealed);
        expect('value' in read).toBe(/^[\x21-\x7e]{16,}$/.test(text));
      }),
      { numRuns: 500 },
    );
  });
});

function materialOf(document: AuthorDocument): Material {
  const parsed = parseOnce(document, { serviceNamespace: 'portcullis' });
  return parsed.kind === 'material' ? parsed.material : expect.unreachable();
}

describe('a Secret', () => {
  test('is read without its API key, wherever that stands; its other texts are as they were', () => {
    for (const part of [
      `data: {api-key: ${base64(key)}, other: ${base64(key)}}`,
      `stringData: {api-key: ${key}, other: ${key}}`,
    ]) {
      const [document] = documentsOf(`apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n${part}\n`);
      if (document === undefined) throw new Error('no document');
      const { data } = readMaterial(head, document, createProblemList(document));
      expect([data.get('api-key'), data.get('other')]).toEqual([sealApiKey(key), key]);
    }
  });

  test('out of a cluster is kept without it, and read the same as often as it is', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {},
      data: { 'api-key': base64(key), other: base64('o') },
    };
    const { document, text } = toClusterDocument(object, meta, 'Secret');
    expect(text).not.toContain(base64(key));
    const { data } = materialOf(document);
    expect([data.get('api-key'), data.get('other')]).toEqual([sealApiKey(key), 'o']);
  });

  test('out of a cluster that is being deleted says so', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
      data: {},
    };
    const { document } = toClusterDocument(object, meta, 'Secret');
    expect(materialOf(document).isLeaving).toBe(true);
  });

  test('a ConfigMap has no API key: its text stays', () => {
    const [document] = documentsOf(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {api-key: ${key}}\n`);
    if (document === undefined) throw new Error('no document');
    const { data } = readMaterial({ ...head, kind: 'ConfigMap' }, document, createProblemList(document));
    expect(data.get('api-key')).toBe(key);
  });
});

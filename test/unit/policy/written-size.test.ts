import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { measureWritten, writtenSize, type WrittenSize } from '../../../src/policy/written-size.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const measured = (object: JsonObject, isClient = false): WrittenSize =>
  measureWritten(Buffer.from(JSON.stringify(object)), 0, isClient);

describe('how large an object is as its author wrote it', () => {
  const spec = { hosts: ['a.example'] };
  const size = { bytes: JSON.stringify(spec).length, values: 3 };

  test.each<readonly [string, JsonObject]>([
    ['nothing', {}],
    ['its status', { status: { problems: ['x'.repeat(1000)] } }],
    ['managedFields', { metadata: { name: 'a', managedFields: [{ manager: 'x'.repeat(1000) }] } }],
    [
      'what kubectl writes',
      { metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } } },
    ],
    ['whether a list says its kind', { apiVersion: 'v1', kind: 'Policy' }],
  ])('is not changed by %s', (_what, more) => {
    expect(measured({ ...more, spec })).toEqual(size);
    expect(writtenSize({ ...more, spec }, false)).toEqual(size);
  });

  test('is what everything else is together, also beside spec', () => {
    expect(measured({ spec, junk: 'xyz' })).toEqual({ bytes: size.bytes + 5, values: size.values + 1 });
  });

  test('counts labels and the annotations that are read where it is the Secret of a client, and those alone', () => {
    const data = { key: base64('acme') };
    const labels = { app: 'shop' };
    const metadata = { labels, annotations: { note: 'x'.repeat(99), 'portcullis.dev/roles': 'ab', expires: '2027' } };
    const bytes = JSON.stringify(data).length;
    expect(measured({ metadata, data }).bytes).toBe(bytes);
    expect(measured({ metadata, data }, true).bytes).toBe(bytes + JSON.stringify(labels).length + 4 + 6);
  });

  test('is what the API server makes of a document of a folder: base64, and escapes', () => {
    expect(writtenSize({ stringData: { key: 'acme<&>' } }, true)).toEqual(
      measured({ data: { key: base64('acme<&>') } }),
    );
    expect(writtenSize({ spec: { when: 'a < b' } }, false).bytes).toBe(JSON.stringify({ when: 'a < b' }).length + 5);
  });
});

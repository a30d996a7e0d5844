import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { readMeta } from '../../../src/kubernetes/api-object.ts';
import { toClusterDocument, type ClusterDocument } from '../../../src/kubernetes/cluster-document.ts';

const metadata = {
  name: 'orders',
  namespace: 'shop',
  uid: 'u-1',
  resourceVersion: '7',
  generation: 1,
  creationTimestamp: '2026-11-21T06:00:00Z',
};
const authored: JsonObject = {
  apiVersion: 'portcullis.dev/v1alpha1',
  kind: 'AccessPolicy',
  metadata,
  spec: { hosts: ['a.example'] },
};

function read(object: JsonObject, known?: ClusterDocument): ClusterDocument {
  return toClusterDocument(object, readMeta(object), 'AccessPolicy', known);
}

it('keeps what the author wrote, with its version, and the status apart', () => {
  const { document, status } = read({ ...authored, status: { replicas: '1/1' } });
  expect(document.value).toEqual({ ...authored, metadata: { namespace: 'shop', name: 'orders' } });
  expect(document.version).toEqual({ uid: 'u-1', generation: 1, createdAt: Date.UTC(2026, 10, 21, 6) });
  expect(status).toBe('{"replicas":"1/1"}');
});

it('keeps the document where only the status or the labels are others', () => {
  const first = read(authored);
  const next = read(
    { ...authored, metadata: { ...metadata, resourceVersion: '8', labels: { a: 'b' } }, status: { replicas: '1/1' } },
    first,
  );
  expect(next.document).toBe(first.document);
  expect([next.status, next.meta.resourceVersion]).toEqual(['{"replicas":"1/1"}', '8']);
});

it.each([
  ['what the author wrote', { ...authored, spec: { hosts: ['b.example'] } }],
  ['the generation', { ...authored, metadata: { ...metadata, generation: 2 } }],
  ['the object under the name', { ...authored, metadata: { ...metadata, uid: 'u-2' } }],
])('makes another document where another is %s', (_what, object) => {
  const first = read(authored);
  const next = read(object, first).document;
  expect(next).not.toBe(first.document);
  expect([next.value, next.version]).toEqual([read(object).document.value, read(object).document.version]);
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { readMeta } from '../../../src/kubernetes/api-object.ts';
import { toClusterDocument, type ClusterDocument } from '../../../src/kubernetes/cluster-document.ts';
import { readObject } from '../../../src/kubernetes/cut-object.ts';
import {
  boundsOfCut,
  clientBounds,
  documentBounds,
  materialBounds,
  type ObjectBounds,
} from '../../../src/kubernetes/object-bounds.ts';
import { maxValues } from '../../../src/policy/written-size.ts';
import { createConsumers } from '../../../src/phases/identity/shared-secret-jwt/read-consumer.ts';
import { parseDocument } from '../../../src/policy/parse-document.ts';
import { parseOnce } from '../../../src/policy/parsed-elsewhere.ts';
import type { MaterialRef } from '../../../src/policy/spec.ts';
import { runAtOnce } from '../../../src/std/steps.ts';

const settings = { serviceNamespace: 'portcullis' };
const metadata = { name: 'x', namespace: 'mallory', uid: 'u', resourceVersion: '7', generation: 3 };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
afterEach(() => void vi.restoreAllMocks());

function read(object: JsonObject, bounds: ObjectBounds = documentBounds): JsonObject {
  const bytes = Buffer.from(JSON.stringify(object));
  return readObject(bytes, { from: 0, to: bytes.length }, bounds) as JsonObject;
}

const policy = (more: JsonObject): JsonObject => ({
  apiVersion: 'portcullis.dev/v1alpha1',
  kind: 'AccessPolicy',
  metadata,
  spec: {
    hosts: ['m.example'],
    ...more,
    rules: [{ name: 'r', access: 'Denied', matches: [{ path: { type: 'PathPrefix', value: '/a' } }] }],
  },
});

describe('a policy of the cluster', () => {
  it.each([
    ['of more than 256 KiB', { junk: 'x'.repeat(256 * 1024) }],
    ['of more values than any has', { junk: Array.from({ length: maxValues }, () => ({})) }],
  ])('%s is refused by its name without being parsed, and denies all requests of its hosts (S4)', (_title, more) => {
    const parse = vi.spyOn(JSON, 'parse');
    const object = read({ ...policy(more), status: { conditions: [] } });
    expect(Math.max(...parse.mock.calls.map(([text]) => text.length))).toBeLessThan(200);
    const { document, text, status, meta } = toClusterDocument(object, readMeta(object), 'AccessPolicy');
    expect([text.length < 300, status, meta.generation]).toEqual([true, '{"conditions":[]}', 3]);
    expect(parseDocument(document, settings)).toEqual({
      kind: 'refused',
      key: 'AccessPolicy mallory/x',
      document: expect.objectContaining({
        policy: expect.objectContaining({ hosts: ['m.example'], rules: 'every-request' }),
      }),
      problems: [
        {
          code: 'too-large',
          severity: 'error',
          message: 'the document is larger than 256 KiB, or holds more than 32768 values',
          field: '',
          place: { source: 'AccessPolicy mallory/x', line: undefined, column: undefined },
        },
      ],
    });
  });

  it('that is a little smaller is whole', () => {
    const whole = policy({ junk: 'x'.repeat(250 * 1024), more: Array.from({ length: 1000 }, () => ({})) });
    expect([read(whole), boundsOfCut(read(whole))]).toEqual([whole, undefined]);
  });

  it('whose hosts are too large too governs nothing, and one in shadow mode denies nothing', () => {
    for (const more of [{ hosts: ['y'.repeat(300 * 1024)] }, { mode: 'Shadow', junk: 'x'.repeat(300 * 1024) }]) {
      const object = read(policy(more));
      const { document } = toClusterDocument(object, readMeta(object), 'AccessPolicy');
      expect(parseDocument(document, settings)).toMatchObject({ kind: 'refused', document: { policy: undefined } });
    }
  });
});

describe('what documents refer to', () => {
  const materialOf = (object: JsonObject, ref: MaterialRef): unknown => {
    const { document } = toClusterDocument(object, readMeta(object), ref.kind, undefined, ref);
    const parsed = parseOnce(document, settings);
    if (parsed.kind !== 'material') return expect.unreachable();
    const { data, refused, labels } = parsed.material;
    return {
      data: Object.fromEntries(data),
      refusal: refused,
      labels: Object.fromEntries(labels),
      problems: parsed.problems,
    };
  };
  const byName: MaterialRef = { kind: 'ConfigMap', namespace: 'mallory', name: 'x' };
  const selected: MaterialRef = { kind: 'Secret', namespace: 'mallory', labels: [['client', '1']] };
  const secret = (data: JsonObject): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...metadata, labels: { client: '1' } },
    data,
  });

  it('may be large where it has a name, with all of its texts', () => {
    const jwks = 'k'.repeat(900 * 1024);
    const object = read({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { jwks } }, materialBounds);
    expect(materialOf(object, byName)).toEqual({ data: { jwks }, refusal: undefined, labels: {}, problems: [] });
  });

  it('is refused where it has more keys than anybody writes', () => {
    const keys = Array.from({ length: 40_000 }, (_, index) => [`k${index}`, '']);
    const data: JsonObject = Object.fromEntries(keys);
    const object = read({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }, materialBounds);
    expect(materialOf(object, byName)).toMatchObject({ data: {}, problems: [{ code: 'too-large' }] });
  });

  it('takes away what it held where it is a Secret with too many keys, and not where it is a ConfigMap (decision 25)', () => {
    const data = Object.fromEntries(Array.from({ length: 1100 }, (_, index) => [`k${index}`, base64('x'.repeat(60))]));
    const refusalOf = (kind: 'Secret' | 'ConfigMap', more: JsonObject): unknown => {
      const object = read({ apiVersion: 'v1', kind, metadata, data: more }, materialBounds);
      return toClusterDocument(object, readMeta(object), kind, undefined, { ...byName, kind }).document.refusal;
    };
    expect([refusalOf('Secret', data), refusalOf('ConfigMap', data), refusalOf('Secret', { users: '' })]).toEqual([
      'it has more keys, or is larger, than can be read',
      undefined,
      undefined,
    ]);
  });

  it('is another version where what is left of one that is too large is all that there is of the next', () => {
    const convert = (data: JsonObject, known?: ClusterDocument): ClusterDocument => {
      const object = read({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }, materialBounds);
      return toClusterDocument(object, readMeta(object), 'ConfigMap', known, byName);
    };
    const many = Object.fromEntries(Array.from({ length: 1100 }, (_, index) => [`k${index}`, 'x'.repeat(60)]));
    const cut = convert(many);
    expect([cut.unread, convert({}, cut).unread]).toEqual([
      'it has more keys, or is larger, than can be read',
      undefined,
    ]);
    expect(convert({}, cut).document).not.toBe(cut.document);
    expect(convert(many, cut).document).toBe(cut.document);
  });

  it('is refused where it is the Secret of a client and larger than 16 KiB, with the reason; it has its key still and not its secret', () => {
    const data = { key: base64('acme'), secret: base64('s'.repeat(48)) };
    const object = read(secret({ ...data, junk: 'x'.repeat(20_000) }), clientBounds(['client']));
    expect(materialOf(object, selected)).toEqual({
      data: { key: 'acme' },
      refusal: 'it is larger than 16 KiB',
      labels: { client: '1' },
      problems: [],
    });
    const refusedOf = (one: JsonObject): string | undefined => {
      const { document } = toClusterDocument(one, readMeta(one), 'Secret', undefined, selected);
      const parsed = parseOnce(document, settings);
      if (parsed.kind !== 'material') return expect.unreachable();
      const consumers = createConsumers({ algorithms: ['HS256'], secretEncoding: 'Plain' });
      runAtOnce(consumers.renew([parsed.material]))();
      return consumers.problem;
    };
    expect(refusedOf(object)).toContain('Secret x: it is larger than 16 KiB');
    expect(refusedOf(read(secret(data), clientBounds(['client'])))).toBe(undefined);
    expect(materialOf(read(secret({ ...data, junk: 'x'.repeat(1000) }), clientBounds(['client'])), selected)).toEqual({
      data: { key: 'acme', secret: 's'.repeat(48) },
      refusal: undefined,
      labels: { client: '1' },
      problems: [],
    });
  });

  it('is kept once: its document has no text of it', () => {
    const object = secret({ secret: base64('s'.repeat(48)), other: base64('o'.repeat(48)) });
    for (const ref of [selected, { ...byName, kind: 'Secret' as const }]) {
      const kept = toClusterDocument(object, readMeta(object), 'Secret', undefined, ref);
      expect(JSON.stringify([kept, kept.document.value, kept.document.text])).not.toMatch(
        new RegExp(`${base64('sss')}|${base64('ooo')}`),
      );
      const again = toClusterDocument(object, readMeta(object), 'Secret', kept, ref);
      expect(again.document).toBe(kept.document);
    }
  });
});

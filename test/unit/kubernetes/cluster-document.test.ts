import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import type { ObjectMeta } from '../../../src/kubernetes/api-object.ts';
import { toClusterDocument, type ClusterDocument } from '../../../src/kubernetes/cluster-document.ts';
import { parseDocument } from '../../../src/policy/parse-document.ts';
import { parseOnce } from '../../../src/policy/parsed-elsewhere.ts';

const meta: ObjectMeta = {
  namespace: 'shop',
  name: 'orders',
  uid: 'uid',
  resourceVersion: '7',
  generation: 3,
  createdAt: 0,
};

function convert(spec: JsonObject, rest: JsonObject = {}): ClusterDocument {
  const apiVersion = 'portcullis.dev/v1alpha1';
  const metadata = { namespace: 'shop', name: 'orders', annotations: { note: 'x' } };
  return toClusterDocument({ apiVersion, kind: 'AccessPolicy', metadata, spec, ...rest }, meta, 'AccessPolicy');
}

function nested(depth: number): JsonValue {
  let value: JsonValue = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const rules = [{ name: 'open', matches: [{ path: { type: 'PathPrefix', value: '/' } }], access: 'Public' }];

describe('the document that an object is', () => {
  it('is what its author wrote, without what the server adds', () => {
    const { document, status } = convert({ rules }, { status: { rules: 1 } });
    expect([document.value, document.problems, status]).toEqual([
      {
        apiVersion: 'portcullis.dev/v1alpha1',
        kind: 'AccessPolicy',
        metadata: { namespace: 'shop', name: 'orders' },
        spec: { rules },
      },
      [],
      '{"rules":1}',
    ]);
  });

  it('S4: is refused for its depth where it is nested deeper than the stack, and its hosts are read', () => {
    const { document, status } = convert(
      { hosts: ['a.example'], rules, adresses: nested(9000) },
      { status: { a: nested(9000) } },
    );
    const parsed = parseDocument(document, { serviceNamespace: 'portcullis' });
    expect(parsed).toMatchObject({ kind: 'refused', document: { policy: { hosts: ['a.example'] } } });
    expect(parsed.problems.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'too-large: the document is nested more than 64 levels deep',
    ]);
    expect(status).toBe('');
    expect(parseDocument(convert({ hosts: ['a.example'], rules }).document, { serviceNamespace: 'p' }).kind).toBe(
      'accepted',
    );
  });
});

describe('a Secret or ConfigMap that is named', () => {
  const of = (
    kind: 'Secret' | 'ConfigMap',
    data: JsonObject,
    keys?: readonly string[],
  ): ReadonlyMap<string, string> => {
    const object = {
      apiVersion: 'v1',
      kind,
      metadata: { namespace: 'shop', name: 'orders' },
      data,
      binaryData: { b: 'Yg==' },
    };
    const ref = { kind, namespace: 'shop', name: 'orders', ...(keys && { keys }) };
    const { document } = toClusterDocument(object, meta, kind, undefined, ref);
    const parsed = parseOnce(document, { serviceNamespace: 'portcullis' });
    return parsed.kind === 'material' ? parsed.material.data : new Map();
  };

  it.each([
    ['ConfigMap', 'mine', 'other'],
    ['Secret', 'bWluZQ==', 'b3RoZXI='],
  ] as const)('is of a %s the keys that are asked for, and nothing else', (kind, mine, other) => {
    expect(of(kind, { mine, other }, ['mine', 'missing'])).toEqual(new Map([['mine', 'mine']]));
    expect(of(kind, { mine, other }, [])).toEqual(new Map());
    expect([...of(kind, { mine, other }).keys()]).toEqual(['mine', 'other']);
  });
});

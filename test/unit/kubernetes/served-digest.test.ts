import { describe, expect, it } from 'vitest';
import {
  changedPlaces,
  compareServed,
  createServedDigest,
  type ServedDigest,
  type ServedDocument,
} from '../../../src/kubernetes/served-digest.ts';

function digestOf(documents: Readonly<Record<string, ServedDocument>>): ServedDigest {
  const digest = createServedDigest();
  for (const [key, document] of Object.entries(documents)) digest.set(key, document);
  return digest;
}

const current = (generation: number, uid = 'u'): ServedDocument => ({ uid, generation, served: generation });
const many = (generation: number): Record<string, ServedDocument> =>
  Object.fromEntries(
    Array.from({ length: 300 }, (_document, index) => [`AccessPolicy shop/p${index}`, current(generation)]),
  );

describe('the digest of what serves', () => {
  it('does not depend on the order in which documents came, nor on what they were before', () => {
    const a = digestOf({ x: current(1), y: current(2) });
    const b = createServedDigest();
    b.set('y', current(1));
    b.set('z', current(9));
    b.set('x', { uid: 'u', generation: 1, served: undefined });
    b.set('z', undefined);
    b.set('x', current(1));
    b.set('y', current(2));
    expect(b.texts()).toEqual(a.texts());
    expect(a.texts().served).toMatch(/^[0-9a-f]{1024}$/);
  });

  it('is short whatever the number of documents and of exceptions', () => {
    const digest = createServedDigest();
    for (let index = 0; index < 5000; index++)
      digest.set(`AccessPolicy namespace/policy-${index}`, { uid: `${index}`, generation: 2, served: undefined });
    const { observed, served, exceptions } = digest.texts();
    expect(observed.length + served.length + exceptions.length).toBeLessThan(8000);
  });

  const key = 'AccessPolicy shop/p7';
  const ours = digestOf({ ...many(3), [key]: current(4) });

  it.each([
    ['the same', digestOf({ ...many(3), [key]: current(4) }), 'agrees'],
    ['not yet the newest version', digestOf(many(3)), 'pending'],
    ['one that was made anew under the name', digestOf({ ...many(3), [key]: current(4, 'other') }), 'pending'],
    [
      'the same versions, of which the newest does not serve',
      digestOf({ ...many(3), [key]: { uid: 'u', generation: 4, served: 3 } }),
      'disagrees',
    ],
    [
      'the same versions, and it denies',
      digestOf({ ...many(3), [key]: { uid: 'u', generation: 4, served: undefined } }),
      'disagrees',
    ],
    ['nothing at all', digestOf({}), 'pending'],
  ] as const)('compares a document with a replica that has %s', (_title, other, expected) => {
    expect(compareServed(key, current(4), ours.texts(), other.texts())).toBe(expected);
  });

  it('does not blame a document for another one that is summed up in the same place', () => {
    const neighbour = ours.keysIn(new Set([placeOf(key)])).find((other) => other !== key) ?? '';
    expect(neighbour).not.toBe('');
    const other = digestOf({
      ...many(3),
      [key]: current(4),
      [neighbour]: { uid: 'u', generation: 3, served: undefined },
    });
    expect(compareServed(key, current(4), ours.texts(), other.texts())).toBe('agrees');
    expect(compareServed(neighbour, current(3), ours.texts(), other.texts())).toBe('disagrees');
  });

  it('agrees about a document that neither serves in its newest version', () => {
    const refused: ServedDocument = { uid: 'u', generation: 4, served: 2 };
    const a = digestOf({ ...many(3), [key]: refused });
    const b = digestOf({ ...many(3), [key]: refused, ...refuseNeighbour() });
    expect(compareServed(key, refused, a.texts(), b.texts())).toBe('agrees');
  });

  it('takes what cannot be read for disagreement, never for agreement', () => {
    const other = digestOf({ ...many(3), [key]: { uid: 'u', generation: 4, served: 3 } }).texts();
    for (const exceptions of ['', 'null', '[', '{"x":'])
      expect(compareServed(key, current(4), ours.texts(), { ...other, exceptions })).toBe('disagrees');
  });

  it('says in which places a replica says other than before', () => {
    const before = ours.texts();
    const after = digestOf({ ...many(3), [key]: current(5) }).texts();
    expect([...changedPlaces(before, after)]).toEqual([placeOf(key)]);
    expect(changedPlaces(before, before).size).toBe(0);
  });

  function placeOf(wanted: string): number {
    return (
      Array.from({ length: 64 }, (_place, place) => place).find((place) =>
        ours.keysIn(new Set([place])).includes(wanted),
      ) ?? -1
    );
  }
  function refuseNeighbour(): Record<string, ServedDocument> {
    const neighbour = ours.keysIn(new Set([placeOf(key)])).find((other) => other !== key) ?? '';
    return { [neighbour]: { uid: 'u', generation: 3, served: undefined } };
  }
});

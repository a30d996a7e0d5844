import { describe, expect, it } from 'vitest';
import { createReferences, maxMaterials } from '../../../src/kubernetes/references.ts';
import type { MaterialRef } from '../../../src/policy/spec.ts';

const ref = (namespace: string, name: string): MaterialRef => ({ kind: 'ConfigMap', namespace, name });

describe('the Secrets and ConfigMaps that documents refer to', () => {
  it('are those of all documents, until each is forgotten or refers to something else', () => {
    const references = createReferences();
    references.settle('a', [ref('shop', 'keys')]);
    references.settle('b', [ref('shop', 'keys'), ref('shop', 'ca')]);
    expect([...references.all().refs.keys()]).toEqual(['ConfigMap shop/keys', 'ConfigMap shop/ca']);
    references.forget('b');
    expect([...references.all().refs.keys()]).toEqual(['ConfigMap shop/keys']);
    references.settle('a', []);
    expect(references.all()).toEqual({ refs: new Map(), excessive: new Set() });
  });

  it('of a version that nobody judged yet are followed beside those of the one in force', () => {
    const references = createReferences();
    const route = (name: string): MaterialRef => ({ kind: 'HTTPRoute', namespace: 'shop', name });
    references.settle('a', [route('good')]);
    references.note('a', [route('new')]);
    expect([...references.all().refs.keys()]).toEqual(['HTTPRoute shop/good', 'HTTPRoute shop/new']);
    expect(references.of('a')).toEqual(['HTTPRoute shop/good', 'HTTPRoute shop/new']);
    // It was refused: the engine says what is needed of both.
    references.settle('a', [route('good'), route('new')]);
    references.note('a', [route('newer')]);
    references.settle('a', [route('newer')]);
    expect([...references.all().refs.keys()]).toEqual(['HTTPRoute shop/newer']);
    references.note('b', [route('other')]);
    references.forget('b');
    expect([...references.all().refs.keys()]).toEqual(['HTTPRoute shop/newer']);
  });

  it('are not more of one namespace than anybody needs, so that no tenant opens thousands of connections', () => {
    const references = createReferences();
    for (let index = 0; index < maxMaterials; index++) references.settle(`${index}`, [ref('shop', `keys-${index}`)]);
    expect(references.all().excessive).toEqual(new Set());
    references.settle('more', [ref('shop', 'keys-more')]);
    references.settle('other', [ref('team-b', 'keys')]);
    const { refs, excessive } = references.all();
    expect([refs.size, excessive]).toEqual([maxMaterials + 1, new Set(['shop'])]);
    expect([refs.has('ConfigMap shop/keys-more'), refs.has('ConfigMap team-b/keys')]).toEqual([false, true]);
    references.forget('0');
    expect(references.all().refs.has('ConfigMap shop/keys-more')).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { createReferences, maxMaterials } from '../../../src/kubernetes/material-follower.ts';
import type { MaterialRef } from '../../../src/policy/spec.ts';

const ref = (namespace: string, name: string): MaterialRef => ({ kind: 'ConfigMap', namespace, name });

describe('the Secrets and ConfigMaps that documents refer to', () => {
  it('are those of all documents, kept while a document is refused, and forgotten with it', () => {
    const references = createReferences();
    references.note('a', [ref('shop', 'keys')]);
    references.note('b', [ref('shop', 'keys'), ref('shop', 'ca')]);
    references.note('b', undefined);
    expect([...references.all().refs.keys()]).toEqual(['ConfigMap shop/keys', 'ConfigMap shop/ca']);
    references.forget('b');
    expect([...references.all().refs.keys()]).toEqual(['ConfigMap shop/keys']);
    references.note('a', []);
    expect(references.all()).toEqual({ refs: new Map(), excessive: new Set() });
  });

  it('are not more of one namespace than anybody needs, so that no tenant opens thousands of connections', () => {
    const references = createReferences();
    for (let index = 0; index < maxMaterials; index++) references.note(`${index}`, [ref('shop', `keys-${index}`)]);
    expect(references.all().excessive).toEqual(new Set());
    references.note('more', [ref('shop', 'keys-more')]);
    references.note('other', [ref('team-b', 'keys')]);
    const { refs, excessive } = references.all();
    expect([refs.size, excessive]).toEqual([maxMaterials + 1, new Set(['shop'])]);
    expect([refs.has('ConfigMap shop/keys-more'), refs.has('ConfigMap team-b/keys')]).toEqual([false, true]);
    references.forget('0');
    expect(references.all().refs.has('ConfigMap shop/keys-more')).toBe(true);
  });
});

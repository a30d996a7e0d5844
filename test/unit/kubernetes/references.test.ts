import { describe, expect, it } from 'vitest';
import { createReferences, maxMaterials } from '../../../src/kubernetes/material-follower.ts';
import type { DocumentRefs } from '../../../src/policy/material-refs.ts';
import type { MaterialRef } from '../../../src/policy/spec.ts';

const ref = (namespace: string, name: string): MaterialRef => ({ kind: 'ConfigMap', namespace, name });

const accepted = (...refs: readonly MaterialRef[]): DocumentRefs => ({ refs, isAccepted: true });

describe('the Secrets and ConfigMaps that documents refer to', () => {
  it('are those of all documents, kept while a document is refused, and forgotten with it', () => {
    const references = createReferences();
    references.note('a', accepted(ref('shop', 'keys')));
    references.note('b', accepted(ref('shop', 'keys'), ref('shop', 'ca')));
    references.note('b', { refs: [], isAccepted: false });
    expect([...references.all().refs.keys()]).toEqual(['ConfigMap shop/keys', 'ConfigMap shop/ca']);
    references.forget('b');
    expect([...references.all().refs.keys()]).toEqual(['ConfigMap shop/keys']);
    references.note('a', accepted());
    expect(references.all()).toEqual({ refs: new Map(), excessive: new Set() });
  });

  it('of a refused document are followed beside those of the version before it, until there is another', () => {
    const references = createReferences();
    const route = (name: string): MaterialRef => ({ kind: 'HTTPRoute', namespace: 'shop', name });
    references.note('a', accepted(route('good')));
    references.note('a', { refs: [route('bad')], isAccepted: false });
    references.note('a', { refs: [route('worse')], isAccepted: false });
    expect([...references.all().refs.keys()]).toEqual(['HTTPRoute shop/good', 'HTTPRoute shop/worse']);
    references.note('a', accepted(route('better')));
    expect([...references.all().refs.keys()]).toEqual(['HTTPRoute shop/better']);
    references.note('b', { refs: [route('bad')], isAccepted: false });
    references.forget('b');
    expect([...references.all().refs.keys()]).toEqual(['HTTPRoute shop/better']);
  });

  it('are not more of one namespace than anybody needs, so that no tenant opens thousands of connections', () => {
    const references = createReferences();
    for (let index = 0; index < maxMaterials; index++)
      references.note(`${index}`, accepted(ref('shop', `keys-${index}`)));
    expect(references.all().excessive).toEqual(new Set());
    references.note('more', accepted(ref('shop', 'keys-more')));
    references.note('other', accepted(ref('team-b', 'keys')));
    const { refs, excessive } = references.all();
    expect([refs.size, excessive]).toEqual([maxMaterials + 1, new Set(['shop'])]);
    expect([refs.has('ConfigMap shop/keys-more'), refs.has('ConfigMap team-b/keys')]).toEqual([false, true]);
    references.forget('0');
    expect(references.all().refs.has('ConfigMap shop/keys-more')).toBe(true);
  });
});

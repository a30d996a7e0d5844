import { describe, expect, it } from 'vitest';
import { maxMaterials } from '../../../src/kubernetes/reference-budgets.ts';
import { createReferences, lingerMs, type References } from '../../../src/kubernetes/references.ts';
import type { MaterialRef } from '../../../src/policy/spec.ts';

const clock = { monotonic: () => 0 };
const ref = (namespace: string, name: string): MaterialRef => ({ kind: 'ConfigMap', namespace, name });

describe('the Secrets and ConfigMaps that documents refer to', () => {
  it('are those of all documents, until each is forgotten or refers to something else', () => {
    const references = createReferences(clock);
    references.settle('a', [ref('shop', 'keys')]);
    references.settle('b', [ref('shop', 'keys'), ref('shop', 'ca')]);
    expect([...references.all().refs.keys()]).toEqual(['ConfigMap shop/keys', 'ConfigMap shop/ca']);
    references.forget('b');
    expect([...references.all().refs.keys()]).toEqual(['ConfigMap shop/keys']);
    references.settle('a', []);
    expect(references.all()).toEqual({
      refs: new Map(),
      orders: new Map(),
      excessive: new Set(),
      unreserved: new Set(),
    });
  });

  it('of a version that nobody judged yet are followed beside those of the one in force', () => {
    const references = createReferences(clock);
    const route = (name: string): MaterialRef => ({ kind: 'HTTPRoute', namespace: 'shop', name });
    references.settle('a', [route('good')]);
    references.note('a', [route('new')]);
    expect([...references.all().refs.keys()]).toEqual(['HTTPRoute shop/new', 'HTTPRoute shop/good']);
    expect(references.of('a')).toEqual(['HTTPRoute shop/good', 'HTTPRoute shop/new']);
    // It was refused: the engine says what is needed of both.
    references.settle('a', [route('good'), route('new')]);
    references.note('a', [route('newer')]);
    references.settle('a', [route('newer')]);
    expect([...references.all().refs.keys()]).toEqual(['HTTPRoute shop/newer']);
    references.note('b', [ref('shop', 'keys')]);
    references.forget('b');
    expect([...references.all().refs.keys()]).toEqual(['HTTPRoute shop/newer']);
  });

  it('are not more of one namespace than anybody needs, so that no tenant opens thousands of connections', () => {
    const references = createReferences(clock);
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

  it('are chosen by the age of the documents, and so alike on every replica, whatever it heard of first', () => {
    const namesOf = (order: readonly number[]): readonly string[] => {
      const references = createReferences(clock);
      for (const index of order)
        references.note(`AccessPolicy shop/p${index}`, [ref('shop', `k${index}`)], index < 150 ? 5000 - index : 9000);
      const { refs } = references.all();
      const keys = order.map((index) => `ConfigMap shop/k${index}`);
      expect(keys.filter((key) => references.isLeftOut(key))).toEqual(keys.filter((key) => !refs.has(key)));
      return [...refs.keys()].toSorted();
    };
    const order = Array.from({ length: 160 }, (_, index) => index);
    const expected = Array.from({ length: maxMaterials }, (_, index) => `ConfigMap shop/k${149 - index}`).toSorted();
    expect(namesOf(order)).toEqual(expected);
    expect(namesOf(order.toReversed())).toEqual(expected);
    expect(namesOf([...order.slice(80), ...order.slice(0, 80)])).toEqual(expected);
  });

  it('of one age are chosen by the name of the document, and of one document by their own', () => {
    const references = createReferences(clock);
    const many = Array.from({ length: 90 }, (_, index) => ref('shop', `k${10 + index}`));
    references.note('AccessPolicy shop/b', many.toReversed(), 1);
    references.note(
      'AccessPolicy shop/a',
      Array.from({ length: 20 }, (_, i) => ref('shop', `a${i}`)),
      1,
    );
    const keys = references.of('AccessPolicy shop/b').toSorted();
    expect(keys.filter((key) => references.isLeftOut(key))).toEqual(
      Array.from({ length: 10 }, (_, index) => `ConfigMap shop/k${90 + index}`),
    );
  });

  it('are followed by the oldest of those that refer to them', () => {
    const references = createReferences(clock);
    for (let index = 0; index < maxMaterials; index++)
      references.note(`p${index}`, [ref('shop', `k${index}`)], 1000 + index);
    references.note('young', [ref('shop', 'shared')], 5000);
    expect(references.all().refs.has('ConfigMap shop/shared')).toBe(false);
    references.note('old', [ref('shop', 'shared')], 1);
    const leftOut = [...references.of('old'), 'ConfigMap shop/k98', 'ConfigMap shop/k99'].map((key) =>
      references.isLeftOut(key),
    );
    expect([references.all().refs.has('ConfigMap shop/shared'), leftOut]).toEqual([true, [false, false, true]]);
  });

  it('of versions that only some replicas have in force take nobody the place of what the newest ones refer to', () => {
    const references = createReferences(clock);
    const route = (name: string): MaterialRef => ({ kind: 'HTTPRoute', namespace: 'shop', name });
    const of = (prefix: string): readonly MaterialRef[] =>
      Array.from({ length: 16 }, (_, index) => route(`${prefix}-${index}`));
    for (let index = 0; index < 6; index++) {
      references.note(`p${index}`, of(`a${index}`), index);
      references.settle(`p${index}`, of(`a${index}`));
    }
    references.note('young', [route('pay')], 9000);
    // Refused: the old version stays in force.
    references.note('p0', of('b'), 0);
    references.settle('p0', [...of('a0'), ...of('b')]);
    const { refs, unreserved } = references.all();
    expect([refs.size, unreserved]).toEqual([113, new Set()]);
    expect(['a0-0', 'b-0', 'pay'].map((name) => refs.has(`HTTPRoute shop/${name}`))).toEqual([true, true, true]);
  });

  it('leave the hostnames of a namespace unknown where routes of enforced policies are left out, not of shadows', () => {
    const references = createReferences(clock);
    const route = (name: string, isShadow: boolean): MaterialRef => ({
      kind: 'HTTPRoute',
      namespace: 'shop',
      name,
      ...(isShadow ? { isShadow } : {}),
    });
    for (let index = 0; index < maxMaterials; index++) references.note(`s${index}`, [route(`s${index}`, true)], index);
    references.note('young', [route('pay', false)], 9000);
    expect(references.all().refs.has('HTTPRoute shop/pay')).toBe(true);
    expect(references.isLeftOut('HTTPRoute shop/s99')).toBe(true);
    expect([references.all().excessive, references.all().unreserved]).toEqual([new Set(['shop']), new Set()]);
    for (let index = 0; index < maxMaterials; index++) references.note(`p${index}`, [route(`p${index}`, false)], index);
    expect(references.all().unreserved).toEqual(new Set(['shop']));
    references.note('p0', [], 0);
    expect(references.all().unreserved).toEqual(new Set());
  });

  it('are the same object while nothing of them changes', () => {
    const references = createReferences(clock);
    references.note('a', [ref('shop', 'keys')], 1);
    const before = references.all();
    references.note('b', [], 1);
    references.settle('b', []);
    expect(references.all()).toBe(before);
    references.note('b', [ref('shop', 'ca')], 1);
    expect(references.all()).not.toBe(before);
  });

  it('stay a while where they are routes of a policy that is gone, behind all others', () => {
    let now = 0;
    const references = createReferences({ monotonic: () => now });
    const route = (name: string): MaterialRef => ({ kind: 'HTTPRoute', namespace: 'shop', name });
    references.note('a', [route('orders'), ref('shop', 'keys')], 1);
    references.forget('a');
    const keys = (): readonly string[] => [...references.all().refs.keys()];
    expect([keys(), references.lingers()]).toEqual([['HTTPRoute shop/orders'], true]);
    for (let index = 0; index < maxMaterials; index++) references.note(`p${index}`, [route(`r${index}`)], 5000);
    const { refs, excessive } = references.all();
    expect([refs.size, refs.has('HTTPRoute shop/orders'), excessive]).toEqual([101, true, new Set()]);
    for (let index = 0; index < maxMaterials; index++) references.settle(`p${index}`, [route(`good${index}`)]);
    expect([references.all().refs.size, keys().includes('HTTPRoute shop/orders')]).toEqual([200, false]);
    expect(references.all().excessive).toEqual(new Set());
    references.settle('p0', []);
    expect(keys()).toContain('HTTPRoute shop/orders');
    now = lingerMs;
    expect([keys().includes('HTTPRoute shop/orders'), references.lingers(), keys().length]).toEqual([
      false,
      false,
      199,
    ]);
  });
});

describe('the keys of a Secret or ConfigMap', () => {
  const keyed = (name: string, ...keys: readonly string[]): MaterialRef => ({
    kind: 'ConfigMap',
    namespace: 'shop',
    name,
    keys,
  });
  const read = (references: References): Readonly<Record<string, readonly string[] | undefined>> =>
    Object.fromEntries([...references.all().refs].map(([key, one]) => [key, 'name' in one ? one.keys : undefined]));

  it('are those that any document asks for that is there, and no others', () => {
    const references = createReferences(clock);
    references.note('a', [keyed('m', 'one')], 2);
    references.note('b', [keyed('m', 'two', 'one')], 1);
    expect(read(references)).toEqual({ 'ConfigMap shop/m': ['one', 'two'] });
    references.forget('b');
    expect(read(references)).toEqual({ 'ConfigMap shop/m': ['one'] });
    references.note('a', [keyed('m', 'three')], 2);
    expect(read(references)).toEqual({ 'ConfigMap shop/m': ['three'] });
  });

  it('are also those of the version in force, until the newest one is', () => {
    const references = createReferences(clock);
    references.note('a', [keyed('m', 'one')], 1);
    references.settle('a', [keyed('m', 'one')]);
    references.note('a', [keyed('m', 'two')], 1);
    expect(read(references)).toEqual({ 'ConfigMap shop/m': ['one', 'two'] });
    references.settle('a', [keyed('m', 'two')]);
    expect(read(references)).toEqual({ 'ConfigMap shop/m': ['two'] });
  });

  it('have the order of the oldest references, whatever was heard of first', () => {
    const references = createReferences(clock);
    references.note('young', [keyed('y', 'k'), keyed('m', 'k')], 3);
    references.note('middle', [keyed('m', 'k')], 2);
    references.note('old', [keyed('o', 'k')], 1);
    expect(references.all().orders).toEqual(
      new Map([['ConfigMap shop', ['ConfigMap shop/o', 'ConfigMap shop/m', 'ConfigMap shop/y']]]),
    );
  });
});

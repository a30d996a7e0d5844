import { describe, expect, it, vi } from 'vitest';
import { createCatalog, type LiveCatalog } from '../../../src/engine/catalog.ts';
import { parseDocument } from '../../../src/policy/parse-document.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { clusterDocuments } from '../../support/cluster-document.ts';

const wild = ['a.b.c', 'b.c', 'c'].map((labels) => `'*.${labels}.mallory.example'`).concat(`'*.mallory.example'`);
const rules = 'rules: [{name: open, matches: [{path: {type: PathPrefix, value: /}}], access: Public}]';

function policy(
  namespace: string,
  name: string,
  createdAt: number,
  hosts: readonly string[],
  mode = 'Enforce',
): AuthorDocument {
  const metadata = `metadata: {name: ${name}, namespace: ${namespace}}`;
  const spec = `spec: {mode: ${mode}, hosts: [${hosts.join(', ')}], ${rules}}`;
  const yaml = `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\n${metadata}\n${spec}\n`;
  const [document] = clusterDocuments(yaml, { createdAt, uid: `${name}-${createdAt}` });
  if (document === undefined) throw new Error('there is no document');
  return document;
}

/** Takes the change in; how many steps it took. */
function take(catalog: LiveCatalog, added: readonly AuthorDocument[], removed: readonly AuthorDocument[]): number {
  let count = 0;
  const steps = catalog.prepare({ added, removed, problems: [], unreadable: new Set() });
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) {
      step.value.commit();
      return count;
    }
    count += 1;
  }
}

const create = (): LiveCatalog =>
  createCatalog({
    grants: undefined,
    parse: (document) => parseDocument(document, { serviceNamespace: 'portcullis' }),
  });

const conflictsOf = (catalog: LiveCatalog, key: string): unknown => catalog.entries.get(key)?.conflicts;

describe('S10: what a claim costs', () => {
  it('looks at no other policy where the oldest claim changes within one namespace', () => {
    const catalog = create();
    const oldest = policy('mallory', 'p0', 1, wild);
    const others = Array.from({ length: 200 }, (_, index) => policy('mallory', `p${index + 1}`, index + 2, wild));
    take(catalog, [oldest, ...others], []);
    expect(take(catalog, [policy('mallory', 'p0', 1, ['x.mallory.example'])], [oldest])).toBeLessThan(60);
    // The control: another namespace is the owner now, which concerns all of them.
    expect(take(catalog, [policy('shop', 'first', 0, ["'*.mallory.example'"])], [])).toBeGreaterThan(200);
    expect(conflictsOf(catalog, 'AccessPolicy mallory/p7')).toHaveLength(4);
  });

  it('looks at no other policy where one in shadow mode comes, and at those in shadow mode where an owner does', () => {
    const catalog = create();
    const shadows = Array.from({ length: 200 }, (_, index) => policy('mallory', `s${index}`, 1, wild, 'Shadow'));
    take(catalog, [policy('mallory', 'own', 1, ["'*.c.mallory.example'"]), ...shadows.slice(1)], []);
    expect(take(catalog, shadows.slice(0, 1), [])).toBeLessThan(30);
    expect(conflictsOf(catalog, 'AccessPolicy mallory/s0')).toEqual([]);
    // The control: what is another namespace's now is nothing of theirs.
    const narrow = policy('shop', 'first', 0, ["'*.a.b.c.mallory.example'"]);
    expect(take(catalog, [narrow], [])).toBeGreaterThan(200);
    const lost = [{ host: '*.a.b.c.mallory.example', owner: 'shop' }];
    expect(conflictsOf(catalog, 'AccessPolicy mallory/s0')).toEqual(lost);
    take(catalog, [], [narrow]);
    expect(conflictsOf(catalog, 'AccessPolicy mallory/s0')).toEqual([]);
  });

  it('reads only the oldest claim of a pattern, however many there are', () => {
    const catalog = create();
    const orders = policy('shop', 'orders', 0, ['h1.a.b.c.mallory.example', 'h2.a.b.c.mallory.example']);
    const others = Array.from({ length: 200 }, (_, index) => policy('mallory', `p${index}`, index + 2, wild));
    take(catalog, [orders, ...others], []);
    const reads = vi.spyOn(catalog.index, 'entry');
    take(catalog, [policy('shop', 'orders', 0, ['h1.a.b.c.mallory.example', 'h3.a.b.c.mallory.example'])], [orders]);
    expect(reads.mock.calls.length).toBeLessThan(30);
    expect(conflictsOf(catalog, 'AccessPolicy shop/orders')).toEqual([]);
  });

  it('follows the age of a policy that was made anew with the same hosts', () => {
    const catalog = create();
    const [mine, theirs] = [policy('shop', 'a', 1, ['x.example']), policy('team-b', 'b', 2, ['x.example'])];
    take(catalog, [mine, theirs], []);
    expect(conflictsOf(catalog, 'AccessPolicy team-b/b')).toEqual([{ host: 'x.example', owner: 'shop' }]);
    const anew = policy('shop', 'a', 3, ['x.example']);
    take(catalog, [anew], [mine]);
    expect(conflictsOf(catalog, 'AccessPolicy shop/a')).toEqual([{ host: 'x.example', owner: 'team-b' }]);
    take(catalog, [], [theirs]);
    expect(conflictsOf(catalog, 'AccessPolicy shop/a')).toEqual([]);
    take(catalog, [policy('team-c', 'c', 2, ['x.example'])], []);
    expect(conflictsOf(catalog, 'AccessPolicy shop/a')).toEqual([{ host: 'x.example', owner: 'team-c' }]);
  });
});

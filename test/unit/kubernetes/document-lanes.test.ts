import { describe, expect, it } from 'vitest';
import { createDocumentLanes, type DocumentLanes } from '../../../src/kubernetes/document-lanes.ts';
import type { AuthorDocument, SourceChange } from '../../../src/policy/spec.ts';

interface Stand {
  readonly lanes: DocumentLanes;
  /** `+name` put there, `-name` removed; what came in one change in one text. */
  readonly taken: string[];
  /** What is being parsed, or was. */
  readonly begun: string[];
  readonly put: (...names: string[]) => void;
  readonly remove: (...names: string[]) => void;
  /** Ends the parsing that goes on. */
  readonly parsed: () => Promise<void>;
}

/** Documents whose names begin with `heavy` take long; each `put` makes a version of its own. */
function start(): Stand {
  const [taken, begun]: [string[], string[]] = [[], []];
  const known = new Set<AuthorDocument>();
  let end = (): void => undefined;
  const lanes = createDocumentLanes(
    {
      isHeavy: (document) => document.source.includes('/heavy') && !known.has(document),
      parse: async (document) => {
        begun.push(nameOf(document));
        await new Promise<void>((resolve) => (end = resolve));
        known.add(document);
      },
      unread: (document) => ({ ...document, value: `${nameOf(document)}?` }),
    },
    ({ removed, changed }: SourceChange) =>
      void taken.push(
        [...removed.map((one) => `-${nameOf(one)}`), ...changed.map((one) => `+${nameOf(one)}`)].join(' '),
      ),
  );
  return {
    lanes,
    taken,
    begun,
    put: (...names) => lanes.add({ removed: [], changed: names.map(documentOf) }),
    remove: (...names) => lanes.add({ removed: names.map(documentOf), changed: [] }),
    parsed: async () => {
      end();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    },
  };
}

/** `shop/a` or `floor`, with a version behind `@`. */
function documentOf(name: string): AuthorDocument {
  const [source = ''] = name.split('@');
  return {
    source: `AccessPolicy ${source}`,
    value: name,
    problems: [],
    placeOf: () => ({ source, line: 1, column: 1 }),
  };
}

function nameOf({ value }: AuthorDocument): string {
  return JSON.stringify(value).slice(1, -1);
}

describe('documents that take long to parse', () => {
  it('hold up those of their own namespace, which stay in their order, and nobody else', async () => {
    const { put, remove, parsed, taken, begun } = start();
    put('shop/a', 'shop/heavy', 'shop/b', 'other/c');
    remove('shop/a');
    put('other/d');
    put('floor');
    expect(taken).toEqual(['+shop/a +other/c', '+other/d', '+floor']);
    await parsed();
    expect(taken.slice(3)).toEqual(['-shop/a +shop/heavy +shop/b']);
    put('shop/e');
    expect([taken.slice(4), begun]).toEqual([['+shop/e'], ['shop/heavy']]);
  });

  it('are parsed one at a time, and the namespaces have their turn one after the other', async () => {
    const { put, parsed, taken, begun } = start();
    put('shop/heavy1', 'shop/heavy2', 'shop/heavy3');
    put('other/heavy1', 'heavy');
    for (let turn = 0; turn < 5; turn++) await parsed();
    expect(begun).toEqual(['shop/heavy1', 'other/heavy1', 'shop/heavy2', 'shop/heavy3']);
    expect(taken).toEqual(['+heavy', '+shop/heavy1', '+other/heavy1', '+shop/heavy2', '+shop/heavy3']);
  });

  it('come into force though newer versions come all the time, of which only the last waits', async () => {
    const { put, parsed, taken, begun } = start();
    put('shop/heavy@1');
    put('shop/heavy@2');
    put('shop/heavy@3');
    await parsed();
    expect(taken).toEqual(['+shop/heavy@1']);
    put('shop/heavy@4');
    await parsed();
    await parsed();
    expect([taken, begun]).toEqual([
      ['+shop/heavy@1', '+shop/heavy@3', '+shop/heavy@4'],
      ['shop/heavy@1', 'shop/heavy@3', 'shop/heavy@4'],
    ]);
  });

  it('that are removed meanwhile are removed, and one that was made anew goes and comes in one change', async () => {
    const { put, remove, parsed, taken, lanes } = start();
    put('shop/heavy@1');
    remove('shop/heavy@1');
    await parsed();
    expect(taken).toEqual(['-shop/heavy@1']);
    lanes.add({ removed: [documentOf('shop/heavy@1')], changed: [documentOf('shop/heavy@2')] });
    remove('shop/z');
    expect(taken).toHaveLength(1);
    await parsed();
    expect(taken.slice(1)).toEqual(['-shop/heavy@1 -shop/z +shop/heavy@2']);
  });

  it('are waited for at the start, and those that come later are not', async () => {
    const { put, remove, parsed, lanes } = start();
    await lanes.emptied();
    let isEmpty = false;
    put('shop/heavy1', 'shop/heavy2', 'shop/a');
    void lanes.emptied().then(() => (isEmpty = true));
    put('shop/heavy3');
    await parsed();
    expect(isEmpty).toBe(false);
    remove('shop/a');
    await parsed();
    expect(isEmpty).toBe(true);
  });

  it('deny what they govern until they are read, where nobody waits for them any longer', async () => {
    const { put, parsed, lanes, taken } = start();
    put('shop/heavy1', 'shop/heavy2', 'shop/a');
    put('other/heavy3', 'third/b');
    lanes.handOnUnread();
    expect(taken).toEqual(['+third/b', '+shop/heavy1? +shop/heavy2? +shop/a +other/heavy3?']);
    for (let turn = 0; turn < 3; turn++) await parsed();
    expect(taken.slice(2)).toEqual(['+shop/heavy1', '+other/heavy3', '+shop/heavy2 +shop/a']);
  });

  it('are not handed on once nobody takes them any more', async () => {
    const { put, parsed, lanes, taken, begun } = start();
    put('shop/heavy1', 'other/heavy2');
    lanes.close();
    await parsed();
    expect([taken, begun]).toEqual([[], ['shop/heavy1']]);
  });
});

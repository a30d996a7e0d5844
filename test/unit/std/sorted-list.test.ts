import { describe, expect, it } from 'vitest';
import { createSortedList } from '../../../src/std/sorted-list.ts';

const compare = (a: { readonly at: number }, b: { readonly at: number }): number => a.at - b.at;

describe('a sorted list', () => {
  it('has each item once and in order, whatever comes first, and says how many come before one', () => {
    const list = createSortedList(compare);
    for (const at of [5, 1, 3, 3, 9, 0]) list.add({ at });
    expect(list.items.map(({ at }) => at)).toEqual([0, 1, 3, 5, 9]);
    expect([-1, 0, 4, 9, 10].map((at) => list.rank({ at }))).toEqual([0, 0, 3, 4, 5]);
    for (const at of [3, 3, 9, 7]) list.delete({ at });
    expect(list.items.map(({ at }) => at)).toEqual([0, 1, 5]);
  });
});

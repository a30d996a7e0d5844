/** Both lists one behind the other: one of them itself where the other is empty, as it mostly is. */
export function joinLists<A, B>(first: readonly A[], second: readonly B[]): readonly (A | B)[] {
  if (second.length === 0) return first;
  return first.length === 0 ? second : [...first, ...second];
}

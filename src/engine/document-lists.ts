import type { ParsedDocument } from '../policy/parse-document.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';

/** Documents that come and go. */
export interface DocumentNews {
  readonly removed: readonly AuthorDocument[];
  readonly fresh: ReadonlyMap<AuthorDocument, ParsedDocument>;
  /** What became of those that are there. */
  readonly known: ReadonlyMap<AuthorDocument, ParsedDocument>;
}

/** A document that bears a name. */
export interface Listed {
  readonly document: AuthorDocument;
  readonly parsed: { readonly key: string };
}

/** The lists by name that a change touches, as they are after it; those that are empty too. `as` is undefined for what is not listed. */
export function* changeLists<T extends Listed>(
  lists: ReadonlyMap<string, readonly T[]>,
  { removed, fresh, known }: DocumentNews,
  as: (document: AuthorDocument, parsed: ParsedDocument) => T | undefined,
): Steps<Map<string, readonly T[]>> {
  const changed = new Map<string, readonly T[]>();
  const listOf = (key: string): readonly T[] => changed.get(key) ?? lists.get(key) ?? [];
  for (const document of removed) {
    const parsed = known.get(document);
    const one = parsed && as(document, parsed);
    if (one === undefined) continue;
    const { key } = one.parsed;
    const others = listOf(key).filter((other) => other.document !== document);
    changed.set(key, others);
    yield;
  }
  for (const [document, parsed] of fresh) {
    const one = as(document, parsed);
    if (one === undefined) continue;
    const others = listOf(one.parsed.key);
    // A list that grew by an element has room for sixteen more, which is most of what it takes.
    const list = others.length === 0 ? [one] : [...others, one].sort(byPlace);
    changed.set(one.parsed.key, list);
    yield;
  }
  return changed;
}

/** Puts lists in the places of others; a name without documents is forgotten. */
export function replaceLists<T>(lists: Map<string, readonly T[]>, changed: ReadonlyMap<string, readonly T[]>): void {
  for (const [key, list] of changed) {
    if (list.length === 0) lists.delete(key);
    else lists.set(key, list);
  }
}

function byPlace(a: Listed, b: Listed): number {
  return comparePlaces(a.document, b.document);
}

/** Documents in the order of their places, whatever the order in which they were read. */
export function comparePlaces(a: AuthorDocument, b: AuthorDocument): number {
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  const [one, other] = [a.placeOf([]), b.placeOf([])];
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);
}

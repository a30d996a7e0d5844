import { hasError, type Problem } from '../core/problem.ts';
import type { ParsedDocument } from '../policy/parse-document.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';
import { changeLists, replaceLists, type DocumentNews } from './document-lists.ts';

/**
 * What documents refer to and that is no document of ours: Secrets and ConfigMaps, routes. Where one is not good, there twice or in a file
 * that cannot be read, what was there before stays (S4).
 */
export interface Referents<T> {
  readonly settled: ReadonlyMap<string, T>;
  /** Problems of those that are there twice, by their documents. */
  twice(): Iterable<readonly [AuthorDocument, readonly Problem[]]>;
  /** Nothing is changed by it until `commit`. */
  prepare(news: DocumentNews, unreadable: ReadonlySet<string>): Steps<PreparedReferents<T>>;
}

export interface PreparedReferents<T> {
  /** Keys of those that are new, others or gone. */
  readonly changed: ReadonlySet<string>;
  readonly get: (key: string) => T | undefined;
  commit(): void;
}

interface NamedReferent<T> {
  readonly document: AuthorDocument;
  readonly parsed: { readonly key: string; readonly problems: readonly Problem[] };
  readonly referent: T;
}

/** What every referent says of itself. */
interface Sourced {
  /** One that takes away what it was before, because it is refused. */
  readonly refused?: string | undefined;
  /** Why what is there now cannot be used, where this is what was there before. */
  readonly outdated?: string;
  /** The file that it is in. */
  readonly source: string;
}

/** `read` takes out of a document what is one of these; undefined for others. One of a cluster has a place for each reference to it. */
export function createReferents<T extends Sourced>(
  read: (parsed: ParsedDocument) => { readonly key: string; readonly referent: T } | undefined,
): Referents<T> {
  const asReferent = (document: AuthorDocument, parsed: ParsedDocument): NamedReferent<T> | undefined => {
    const found = read(parsed);
    if (found === undefined) return undefined;
    const key = document.reference === undefined ? found.key : document.source;
    return { document, parsed: { key, problems: parsed.problems }, referent: found.referent };
  };
  const lists = new Map<string, readonly NamedReferent<T>[]>();
  const settled = new Map<string, T>();
  const twice = new Set<string>();
  let unread: ReadonlySet<string> = new Set();
  return {
    settled,
    *twice() {
      for (const key of twice) yield* problemsOfTwice(key, lists.get(key) ?? []);
    },
    *prepare(news, unreadable) {
      const changedLists = yield* changeLists(lists, news, asReferent);
      const next = new Map<string, T | undefined>();
      const nowUnread = new Set<string>();
      for (const key of new Set([...changedLists.keys(), ...unread])) {
        const list = changedLists.get(key) ?? lists.get(key) ?? [];
        const before = settled.get(key);
        const isUnread = list.length === 0 && before !== undefined && unreadable.has(before.source);
        if (isUnread) nowUnread.add(key);
        // One that was deleted and made anew under its name is another: nothing of the old one may stay for it.
        const last = isSameObject(lists.get(key), list) ? before : undefined;
        const referent = list.length > 0 ? (usable(list) ?? outdate(last, list)) : isUnread ? before : undefined;
        if (referent !== before) next.set(key, referent);
        yield;
      }
      return {
        changed: new Set(next.keys()),
        get: (key) => (next.has(key) ? next.get(key) : settled.get(key)),
        commit: () => {
          replaceLists(lists, changedLists);
          for (const [key, list] of changedLists) {
            if (list.length > 1) twice.add(key);
            else twice.delete(key);
          }
          unread = nowUnread;
          for (const [key, referent] of next) {
            if (referent === undefined) settled.delete(key);
            else settled.set(key, referent);
          }
        },
      };
    },
  };
}

/** False for an object of a cluster that was made anew. */
function isSameObject<T>(before: readonly NamedReferent<T>[] | undefined, now: readonly NamedReferent<T>[]): boolean {
  const [old, fresh] = [before?.[0]?.document.version, now[0]?.document.version];
  return old === undefined || fresh === undefined || old.uid === fresh.uid;
}

function usable<T extends Sourced>(list: readonly NamedReferent<T>[]): T | undefined {
  const [only] = list;
  if (only === undefined || list.length > 1) return undefined;
  return only.referent.refused !== undefined || !hasError(only.parsed.problems) ? only.referent : undefined;
}

/** What was there before, and why it is what there is. */
function outdate<T extends Sourced>(last: T | undefined, list: readonly NamedReferent<T>[]): T | undefined {
  const [only] = list;
  const error = only?.parsed.problems.find(({ severity }) => severity === 'error');
  const outdated = list.length > 1 ? 'it is there twice' : (error?.message ?? 'it cannot be used');
  return last === undefined || last.outdated === outdated ? last : { ...last, outdated };
}

function* problemsOfTwice<T extends Sourced>(
  key: string,
  list: readonly NamedReferent<T>[],
): Iterable<readonly [AuthorDocument, readonly Problem[]]> {
  for (const [index, { document }] of list.entries()) {
    if (index === 0) continue;
    const others = list.slice(0, index).map(({ referent }) => referent.source);
    const message = `the ${key} is there twice: also ${others.join(', ')}`;
    const place = document.placeOf(['metadata', 'name']);
    yield [document, [{ code: 'duplicate-document', severity: 'error', message, field: 'metadata.name', place }]];
  }
}

import { hasError, type Problem } from '../core/problem.ts';
import type { ParsedDocument } from '../policy/parse-document.ts';
import type { Material } from '../policy/read-material.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';
import type { CatalogEntry, DocumentVersions, NamedVersion } from './catalog-entry.ts';
import type { ChangedDocuments } from './judge-change.ts';

/** What is new in a source. */
export interface DocumentChange {
  readonly added: readonly AuthorDocument[];
  readonly removed: readonly AuthorDocument[];
  /** Problems that belong to no document. */
  readonly problems: readonly Problem[];
  /** Sources that could not be read in whole. */
  readonly unreadable: ReadonlySet<string>;
}

/** The documents that there are, by the names they bear. */
export interface Documents {
  readonly materials: ReadonlyMap<string, Material>;
  /** Problems that belong to no name, by their places. */
  readonly problems: readonly Problem[];
  /** Reads what is new. Nothing is changed by it until `commit`, and only one at a time may be pending. */
  prepare(change: DocumentChange, entryOf: (key: string) => CatalogEntry | undefined): Steps<PreparedDocuments>;
}

export interface PreparedDocuments {
  readonly changed: ChangedDocuments;
  /** Keys of Secrets and ConfigMaps that are new, others or gone. */
  readonly changedMaterials: ReadonlySet<string>;
  material(key: string): Material | undefined;
  commit(): void;
}

type Parse = (document: AuthorDocument) => ParsedDocument;
type ParsedMaterial = Extract<ParsedDocument, { readonly kind: 'material' }>;

interface NamedMaterial {
  readonly document: AuthorDocument;
  readonly parsed: ParsedMaterial;
}

interface State {
  readonly parsed: Map<AuthorDocument, ParsedDocument>;
  readonly named: Map<string, readonly NamedVersion[]>;
  readonly materials: Map<string, readonly NamedMaterial[]>;
  /** Documents that hide what else their source held. */
  readonly hiding: Set<AuthorDocument>;
  /** Names whose documents are missing from sources that cannot be read in whole. */
  readonly unread: Set<string>;
}

export function createDocuments(parse: Parse): Documents {
  const state: State = {
    parsed: new Map(),
    named: new Map(),
    materials: new Map(),
    hiding: new Set(),
    unread: new Set(),
  };
  const materials = new Map<string, Material>();
  const loose = new Map<AuthorDocument, readonly Problem[]>();
  let problems: readonly Problem[] = [];
  return {
    materials,
    get problems() {
      return problems;
    },
    *prepare(change, entryOf) {
      const fresh = new Map<AuthorDocument, ParsedDocument>();
      for (const document of change.added) {
        fresh.set(document, parse(document));
        yield;
      }
      const named = yield* changeLists(state.named, change, fresh, state.parsed, asVersion);
      const changedMaterials = yield* changeLists(state.materials, change, fresh, state.parsed, asMaterial);
      const hiding = new Set([...state.hiding].filter((document) => !change.removed.includes(document)));
      for (const [document, parsed] of fresh) if (isHiding(document, parsed)) hiding.add(document);
      const unreadable = new Set([...change.unreadable, ...[...hiding].map(({ source }) => source)]);
      const { changed, unread } = findUnread(named, state, unreadable, entryOf);
      const material = (key: string): Material | undefined =>
        changedMaterials.has(key) ? changedMaterials.get(key)?.at(-1)?.parsed.material : materials.get(key);
      const commit = (): void => {
        for (const document of change.removed) {
          state.parsed.delete(document);
          loose.delete(document);
        }
        for (const [document, parsed] of fresh) {
          state.parsed.set(document, parsed);
          if (isLoose(parsed)) loose.set(document, parsed.problems);
        }
        replaceLists(state.named, named);
        replaceLists(state.materials, changedMaterials);
        replaceSet(state.hiding, hiding);
        replaceSet(state.unread, unread);
        for (const [key, list] of changedMaterials) {
          const last = list.at(-1);
          if (last === undefined) materials.delete(key);
          else materials.set(key, last.parsed.material);
        }
        problems = [
          ...change.problems,
          ...[...loose].sort(([a], [b]) => comparePlaces(a, b)).flatMap(([, list]) => list),
        ];
      };
      return { changed, changedMaterials: new Set(changedMaterials.keys()), material, commit };
    },
  };
}

function asVersion(document: AuthorDocument, parsed: ParsedDocument): NamedVersion | undefined {
  return parsed.kind === 'accepted' || parsed.kind === 'refused' ? { document, parsed } : undefined;
}

function asMaterial(document: AuthorDocument, parsed: ParsedDocument): NamedMaterial | undefined {
  return parsed.kind === 'material' ? { document, parsed } : undefined;
}

/** Problems of it belong to no entry. */
function isLoose({ kind, problems }: ParsedDocument): boolean {
  return kind !== 'accepted' && kind !== 'refused' && problems.length > 0;
}

/**
 * A document without a readable name may be any of those that its file held before, and a text that is not well-formed may have
 * swallowed the documents behind it: a quote that is never closed, a --- that is missing.
 */
function isHiding({ problems }: AuthorDocument, { kind }: ParsedDocument): boolean {
  return kind === 'nameless' || hasError(problems);
}

/** The lists that a change touches, as they are after it, by key; those that are empty too. */
function* changeLists<T extends { readonly document: AuthorDocument; readonly parsed: { readonly key: string } }>(
  lists: ReadonlyMap<string, readonly T[]>,
  { removed }: DocumentChange,
  fresh: ReadonlyMap<AuthorDocument, ParsedDocument>,
  known: ReadonlyMap<AuthorDocument, ParsedDocument>,
  as: (document: AuthorDocument, parsed: ParsedDocument) => T | undefined,
): Steps<Map<string, readonly T[]>> {
  const changed = new Map<string, readonly T[]>();
  const listOf = (key: string): readonly T[] => changed.get(key) ?? lists.get(key) ?? [];
  for (const document of removed) {
    const parsed = known.get(document);
    const one = parsed && as(document, parsed);
    if (one === undefined) continue;
    const { key } = one.parsed;
    changed.set(
      key,
      listOf(key).filter((other) => other.document !== document),
    );
    yield;
  }
  for (const [document, parsed] of fresh) {
    const one = as(document, parsed);
    if (one === undefined) continue;
    const { key } = one.parsed;
    const list = [...listOf(key), one];
    changed.set(key, list.length === 1 ? list : list.sort((a, b) => comparePlaces(a.document, b.document)));
    yield;
  }
  return changed;
}

/** Names that are missing from a source that could not be read are not gone; they are once it can be read without them. */
function findUnread(
  named: ReadonlyMap<string, readonly NamedVersion[]>,
  state: State,
  unreadable: ReadonlySet<string>,
  entryOf: (key: string) => CatalogEntry | undefined,
): { readonly changed: ReadonlyMap<string, DocumentVersions>; readonly unread: ReadonlySet<string> } {
  const changed = new Map<string, DocumentVersions>();
  const unread = new Set<string>();
  const judge = (key: string, versions: readonly NamedVersion[], isNew: boolean): void => {
    const last = versions.length > 0 ? [] : (entryOf(key)?.versions ?? []);
    const isUnread = last.some(({ document }) => unreadable.has(document.source));
    if (isUnread) unread.add(key);
    if (isNew || !isUnread) changed.set(key, { versions: isUnread ? last : versions, isUnread });
  };
  for (const [key, versions] of named) judge(key, versions, true);
  for (const key of state.unread) if (!named.has(key)) judge(key, [], false);
  return { changed, unread };
}

function comparePlaces(a: AuthorDocument, b: AuthorDocument): number {
  const [one, other] = [a.placeOf([]), b.placeOf([])];
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);
}

function replaceLists<T>(lists: Map<string, readonly T[]>, changed: ReadonlyMap<string, readonly T[]>): void {
  for (const [key, list] of changed) {
    if (list.length === 0) lists.delete(key);
    else lists.set(key, list);
  }
}

function replaceSet<T>(set: Set<T>, next: ReadonlySet<T>): void {
  set.clear();
  for (const element of next) set.add(element);
}

import { hasError, type Problem } from '../core/problem.ts';
import type { ParsedDocument } from '../policy/parse-document.ts';
import type { MaterialFinder } from '../policy/providers/provider-material.ts';
import type { Material } from '../policy/read-material.ts';
import { specKey } from '../policy/spec-name.ts';
import type { AuthorDocument, RouteSpec } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';
import type { CatalogEntry, DocumentVersions, NamedVersion } from './catalog-entry.ts';
import { changeLists, comparePlaces, replaceLists, type DocumentNews } from './document-lists.ts';
import type { ChangedDocuments } from './judge-change.ts';
import { createMaterials, type MaterialChange } from './materials.ts';
import { createReferents, type Referents } from './referents.ts';

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
  readonly routes: ReadonlyMap<string, RouteSpec>;
  /** Problems that belong to no name, by their places. */
  readonly problems: readonly Problem[];
  /** Reads what is new. Nothing is changed by it until `commit`, and only one at a time may be pending. */
  prepare(change: DocumentChange, entryOf: (key: string) => CatalogEntry | undefined): Steps<PreparedDocuments>;
}

export interface PreparedDocuments {
  readonly changed: ChangedDocuments;
  /** Secrets and ConfigMaps that are new, others or gone. */
  readonly changedMaterials: readonly MaterialChange[];
  readonly findMaterial: MaterialFinder;
  /** Keys of routes that are new, others or gone. */
  readonly changedRoutes: ReadonlySet<string>;
  readonly route: (key: string) => RouteSpec | undefined;
  commit(): void;
}

function createRoutes(): Referents<RouteSpec> {
  return createReferents((parsed) =>
    parsed.kind === 'route' ? { key: parsed.key, referent: parsed.route } : undefined,
  );
}

type Parse = (document: AuthorDocument) => ParsedDocument;

interface State {
  readonly parsed: Map<AuthorDocument, ParsedDocument>;
  readonly named: Map<string, readonly NamedVersion[]>;
  /** Documents that hide what else their source held. */
  readonly hiding: Set<AuthorDocument>;
  /** Names whose documents are missing from sources that cannot be read in whole. */
  readonly unread: Set<string>;
  /** Policies without a name that deny, by their keys. */
  readonly nameless: Map<string, AuthorDocument>;
  /** Problems of documents that bear no name of ours. */
  readonly loose: Map<AuthorDocument, readonly Problem[]>;
}

function emptyState(): State {
  return {
    parsed: new Map(),
    named: new Map(),
    hiding: new Set(),
    unread: new Set(),
    nameless: new Map(),
    loose: new Map(),
  };
}

export function createDocuments(parse: Parse): Documents {
  const state = emptyState();
  const materials = createMaterials();
  const routes = createRoutes();
  let problems: readonly Problem[] = [];
  return {
    materials: materials.settled,
    routes: routes.settled,
    get problems() {
      return problems;
    },
    *prepare(change, entryOf) {
      const fresh = new Map<AuthorDocument, ParsedDocument>();
      for (const document of change.added) {
        fresh.set(document, parse(document));
        yield;
      }
      const documents = { removed: change.removed, fresh, known: state.parsed };
      const named = yield* changeLists(state.named, documents, asVersion);
      const gone = new Set(change.removed);
      const hiding = [...state.hiding].filter((document) => !gone.has(document));
      for (const [document, parsed] of fresh) if (isHiding(document, parsed)) hiding.push(document);
      const unreadable = new Set([...change.unreadable, ...hiding.map(({ source }) => source)]);
      const { changed, unread } = findUnread(named, state, unreadable, entryOf);
      const nameless = findNameless(hiding, { fresh, known: state.parsed }, sourcesOf(unread, changed, entryOf));
      for (const key of state.nameless.keys()) changed.set(key, { versions: [], isUnread: false });
      for (const [key, version] of nameless) {
        if (state.nameless.get(key) === version.document) changed.delete(key);
        else changed.set(key, { versions: [version], isUnread: false });
      }
      const foundMaterials = yield* materials.prepare(documents, unreadable);
      const foundRoutes = yield* routes.prepare(documents, unreadable);
      const commit = (): void => {
        commitDocuments(state, change, fresh);
        replaceLists(state.named, named);
        replaceSet(state.hiding, hiding);
        replaceSet(state.unread, unread);
        state.nameless.clear();
        for (const [key, { document }] of nameless) state.nameless.set(key, document);
        foundMaterials.commit();
        foundRoutes.commit();
        const loose = [...state.loose, ...materials.twice(), ...routes.twice()].sort(([a], [b]) => comparePlaces(a, b));
        problems = [...change.problems, ...loose.flatMap(([, list]) => list)];
      };
      return {
        changed,
        changedMaterials: foundMaterials.changes,
        findMaterial: foundMaterials.find,
        changedRoutes: foundRoutes.changed,
        route: foundRoutes.get,
        commit,
      };
    },
  };
}

function commitDocuments(
  { parsed: known, loose }: State,
  { removed }: DocumentChange,
  fresh: ReadonlyMap<AuthorDocument, ParsedDocument>,
): void {
  for (const document of removed) {
    known.delete(document);
    loose.delete(document);
  }
  for (const [document, parsed] of fresh) {
    known.set(document, parsed);
    if (isLoose(parsed)) loose.set(document, parsed.problems);
  }
}

function asVersion(document: AuthorDocument, parsed: ParsedDocument): NamedVersion | undefined {
  return parsed.kind === 'accepted' || parsed.kind === 'refused' ? { document, parsed } : undefined;
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

/** Names that are missing from a source that could not be read are not gone; they are once it can be read without them. */
function findUnread(
  named: ReadonlyMap<string, readonly NamedVersion[]>,
  state: State,
  unreadable: ReadonlySet<string>,
  entryOf: (key: string) => CatalogEntry | undefined,
): { readonly changed: Map<string, DocumentVersions>; readonly unread: ReadonlySet<string> } {
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

/** The sources of the documents that are missing and not gone. */
function sourcesOf(
  unread: ReadonlySet<string>,
  changed: ReadonlyMap<string, DocumentVersions>,
  entryOf: (key: string) => CatalogEntry | undefined,
): ReadonlySet<string> {
  const versions = [...unread].flatMap((key) => (changed.get(key) ?? entryOf(key))?.versions ?? []);
  return new Set(versions.map(({ document }) => document.source));
}

/**
 * Policies whose names cannot be read, each under a key of its own: what can be read of them is denied. One may be one of those that
 * stay because their source hides them; where none stays it never was valid.
 */
function findNameless(
  hiding: readonly AuthorDocument[],
  { fresh, known }: Pick<DocumentNews, 'fresh' | 'known'>,
  staying: ReadonlySet<string>,
): ReadonlyMap<string, NamedVersion> {
  const found = new Map<string, NamedVersion>();
  for (const document of hiding) {
    const parsed = fresh.get(document) ?? known.get(document);
    if (parsed === undefined || staying.has(document.source)) continue;
    const version = asNameless(document, parsed);
    if (version !== undefined) found.set(version.parsed.key, version);
  }
  return found;
}

/** A document without a readable name that says what it would have governed, as a refused one. Its Problems belong to no name. */
export function asNameless(document: AuthorDocument, parsed: ParsedDocument): NamedVersion | undefined {
  if (parsed.kind !== 'nameless' || parsed.policy === undefined) return undefined;
  const { policy } = parsed;
  const { kind, namespace, name } = policy;
  const { line, column } = document.placeOf([]);
  const key = `${specKey(policy)} ${document.source}:${line ?? 1}:${column ?? 1}`;
  return { document, parsed: { kind: 'refused', key, document: { kind, namespace, name, policy }, problems: [] } };
}

function replaceSet<T>(set: Set<T>, next: Iterable<T>): void {
  set.clear();
  for (const element of next) set.add(element);
}

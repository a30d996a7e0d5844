import type { Problem } from '../core/problem.ts';
import type { DocumentStatus } from '../core/status.ts';
import type { GrantSetting } from '../policy/check-hosts.ts';
import type { SetMember } from '../policy/check-set.ts';
import type { ParsedDocument } from '../policy/parse-document.ts';
import type { MaterialFinder } from '../policy/providers/provider-material.ts';
import type { Material } from '../policy/read-material.ts';
import type { IdentityProviderSpec } from '../policy/provider-spec.ts';
import type { AccessPolicySpec, AuthorDocument, RouteSpec, SourceReading } from '../policy/spec.ts';
import { runAtOnce, type Steps } from '../std/steps.ts';
import { isPolicy, type CatalogEntry } from './catalog-entry.ts';
import { acceptedPolicy, nameOf } from './claims.ts';
import { createDocuments, type DocumentChange } from './documents.ts';
import { createEntryIndex, type EntryChanges, type LiveIndex } from './entry-index.ts';
import { judgeChange } from './judge-change.ts';
import type { MaterialChange } from './materials.ts';
import { targetStatuses } from './target-statuses.ts';

/** Every document known, and what of it is in force. */
export interface Catalog {
  /** By key; policies whose names cannot be read are among them (`isNameless`). */
  readonly entries: ReadonlyMap<string, CatalogEntry>;
  readonly materials: ReadonlyMap<string, Material>;
  readonly routes: ReadonlyMap<string, RouteSpec>;
  /** Problems that belong to no entry. */
  readonly problems: readonly Problem[];
}

export interface CatalogSettings {
  readonly grants: GrantSetting;
  /** The one parser. */
  readonly parse: (document: AuthorDocument) => ParsedDocument;
}

/** A catalog that changes are taken into, each at the cost of what it touches. */
export interface LiveCatalog extends Catalog {
  readonly index: LiveIndex;
  /** Judges a change. Nothing is changed by it until `commit`, and only one at a time may be pending. */
  prepare(change: DocumentChange): Steps<PreparedCatalog>;
}

export interface PreparedCatalog {
  readonly entries: EntryChanges;
  readonly changedMaterials: readonly MaterialChange[];
  readonly findMaterial: MaterialFinder;
  readonly changedRoutes: ReadonlySet<string>;
  readonly route: (key: string) => RouteSpec | undefined;
  commit(): void;
}

export function createCatalog({ grants, parse }: CatalogSettings): LiveCatalog {
  const documents = createDocuments(parse);
  const index = createEntryIndex(grants);
  return {
    index,
    entries: index.entries,
    materials: documents.materials,
    routes: documents.routes,
    get problems() {
      return documents.problems;
    },
    *prepare(change) {
      const prepared = yield* documents.prepare(change, (key) => index.entry(key));
      const entries = yield* judgeChange(prepared.changed, index, grants);
      const { changedMaterials, findMaterial, changedRoutes, route } = prepared;
      const commitEntries = yield* index.prepare(entries);
      const commit = (): void => {
        prepared.commit();
        commitEntries();
      };
      return { entries, changedMaterials, findMaterial, changedRoutes, route, commit };
    },
  };
}

/** The catalog of one reading, of which nothing was known before. */
export function readCatalog({ documents, problems, unreadable }: SourceReading, settings: CatalogSettings): Catalog {
  const catalog = createCatalog(settings);
  runAtOnce(catalog.prepare({ added: documents, removed: [], problems, unreadable })).commit();
  return catalog;
}

/** The accepted policies of the catalog, each with its document. */
export function membersOf(catalog: Catalog): readonly SetMember<AccessPolicySpec>[] {
  return [...catalog.entries.values()].flatMap((entry) => {
    const spec = acceptedPolicy(entry);
    const document = entry.versions[0]?.document;
    return spec === undefined || document === undefined ? [] : [{ key: entry.key, spec, document }];
  });
}

/** The providers in force, by key. */
export function providersOf(entries: Iterable<CatalogEntry>): Map<string, IdentityProviderSpec> {
  const providers = new Map<string, IdentityProviderSpec>();
  for (const { key, inForce } of entries) {
    if (inForce !== undefined && !isPolicy(inForce)) providers.set(key, inForce);
  }
  return providers;
}

/** What is told of an entry; `route` finds the routes that policies are attached to. */
export function toDocumentStatus(entry: CatalogEntry, route: (key: string) => RouteSpec | undefined): DocumentStatus {
  const { key, inForce, refused, problems, versions, lastGoodVersion, conflicts } = entry;
  const serving = refused === undefined ? 'current' : inForce === undefined ? 'refused' : 'last-good';
  return {
    key,
    ...nameOf(entry),
    accepted: refused === undefined,
    serving,
    problems,
    version: versions[0]?.document.version,
    servedGeneration: inForce === undefined || isDispossessed(entry) ? undefined : lastGoodVersion?.generation,
    conflicts,
    targets: targetStatuses(entry, route),
    isUnrouted: false,
  };
}

/** True for a policy all of whose hosts belong to others: it is accepted and governs nothing (S10). */
function isDispossessed({ inForce, conflicts }: CatalogEntry): boolean {
  if (inForce?.kind !== 'AccessPolicy' || inForce.attachment === 'Named') return false;
  return conflicts.length > 0 && inForce.hosts.length === 0;
}

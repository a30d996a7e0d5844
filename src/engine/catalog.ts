import type { Problem } from '../core/problem.ts';
import type { DocumentStatus } from '../core/status.ts';
import { claimsOf, checkSet, type SetMember } from '../policy/check-set.ts';
import type { GrantSetting, HostClaim } from '../policy/check-hosts.ts';
import { refusedDocument, type ParsedDocument, type RefusedDocument } from '../policy/parse-document.ts';
import type { Material } from '../policy/read-material.ts';
import type { RefusedPolicy } from '../policy/salvage-policy.ts';
import type { AccessPolicySpec, AuthorDocument, IdentityProviderSpec, SourceReading, Spec } from '../policy/spec.ts';

/** One document by its name: its newest version, and the generation of it that serves. */
export interface CatalogEntry {
  readonly key: string;
  readonly documents: readonly AuthorDocument[];
  /** What serves: the newest version, or the last good one (S4); undefined where there never was one. */
  readonly inForce: Spec | undefined;
  /** What was refused; undefined where the newest version is accepted. */
  readonly refused: RefusedDocument | undefined;
  readonly problems: readonly Problem[];
}

/** Every document known, and what of it is in force. Immutable: the next one is made of a reading and the one before. */
export interface Catalog {
  readonly entries: ReadonlyMap<string, CatalogEntry>;
  readonly materials: ReadonlyMap<string, Material>;
  /** Problems that belong to no entry. */
  readonly problems: readonly Problem[];
  /** Refused policies that deny in the place of what they would have decided, with the hosts that are theirs. */
  readonly refusedPolicies: readonly RefusedPolicy[];
}

export interface CatalogSettings {
  readonly grants: GrantSetting;
  /** The one parser, remembering documents that it has seen. */
  readonly parse: (document: AuthorDocument) => ParsedDocument;
}

export const emptyCatalog: Catalog = { entries: new Map(), materials: new Map(), problems: [], refusedPolicies: [] };

/** Takes a reading in: accepts, refuses with the last good generation in force, and forgets what was deleted. */
export function nextCatalog(before: Catalog, reading: SourceReading, settings: CatalogSettings): Catalog {
  const sorted = sortDocuments(reading, settings);
  const candidates = new Map<string, CatalogEntry>();
  for (const [key, versions] of sorted.named) candidates.set(key, toEntry(key, versions, before.entries.get(key)));
  for (const [key, entry] of before.entries) {
    if (!candidates.has(key) && entry.documents.some(({ source }) => sorted.unreadable.has(source)))
      candidates.set(key, entry);
  }
  return settle(before, candidates, sorted, settings);
}

interface NamedVersion {
  readonly document: AuthorDocument;
  readonly parsed: Extract<ParsedDocument, { readonly kind: 'accepted' | 'refused' }>;
}

interface SortedDocuments {
  readonly named: ReadonlyMap<string, readonly NamedVersion[]>;
  readonly materials: ReadonlyMap<string, Material>;
  readonly problems: readonly Problem[];
  readonly unreadable: ReadonlySet<string>;
}

function sortDocuments(reading: SourceReading, settings: CatalogSettings): SortedDocuments {
  const named = new Map<string, NamedVersion[]>();
  const materials = new Map<string, Material>();
  const problems: Problem[] = [...reading.problems];
  // A document without a readable name may be any of those that its file held before.
  const unreadable = new Set(reading.unreadable);
  for (const document of reading.documents) {
    const parsed = settings.parse(document);
    if (parsed.kind === 'accepted' || parsed.kind === 'refused') {
      const versions = named.get(parsed.key);
      if (versions === undefined) named.set(parsed.key, [{ document, parsed }]);
      else versions.push({ document, parsed });
      continue;
    }
    problems.push(...parsed.problems);
    if (parsed.kind === 'nameless') unreadable.add(document.source);
    if (parsed.kind === 'material') materials.set(parsed.key, parsed.material);
  }
  return { named, materials, problems, unreadable };
}

function toEntry(key: string, versions: readonly NamedVersion[], before: CatalogEntry | undefined): CatalogEntry {
  const documents = versions.map(({ document }) => document);
  const [only, ...others] = versions;
  if (only === undefined || others.length > 0) return duplicated(key, versions, before);
  const { parsed } = only;
  if (parsed.kind === 'refused') {
    return { key, documents, inForce: before?.inForce, refused: parsed.document, problems: parsed.problems };
  }
  return {
    key,
    documents,
    inForce: sameAs(before?.inForce, parsed.spec),
    refused: undefined,
    problems: parsed.problems,
  };
}

/** Two documents of one name: nobody can say which is meant. */
function duplicated(key: string, versions: readonly NamedVersion[], before: CatalogEntry | undefined): CatalogEntry {
  const problems = versions.map(({ document }): Problem => {
    const others = versions.filter((other) => other.document !== document).map((other) => formatPlace(other.document));
    const message = `the ${key} is there twice: also ${others.join(', ')}`;
    return {
      code: 'duplicate-document',
      severity: 'error',
      message,
      field: 'metadata.name',
      place: document.placeOf(['metadata', 'name']),
    };
  });
  const refused = versions.map(({ document, parsed }) =>
    parsed.kind === 'refused' ? parsed.document : refusedDocument(parsed.spec, document),
  );
  return {
    key,
    documents: versions.map(({ document }) => document),
    inForce: before?.inForce,
    refused: mergeRefused(refused),
    problems,
  };
}

/** Of several refused versions, all that any of them would have governed. */
function mergeRefused(versions: readonly RefusedDocument[]): RefusedDocument | undefined {
  const [first] = versions;
  if (first === undefined) return undefined;
  const policies = versions.flatMap(({ policy }) => policy ?? []);
  const [policy] = policies;
  if (policy === undefined) return first;
  const hosts = [...new Set(policies.flatMap((one) => one.hosts))];
  const rules = policies.flatMap((one) => (one.rules === 'every-request' ? [] : one.rules));
  const isEvery = policies.some((one) => one.rules === 'every-request');
  return { ...first, policy: { ...policy, hosts, rules: isEvery ? 'every-request' : rules } };
}

function formatPlace(document: AuthorDocument): string {
  const { source, line } = document.placeOf(['metadata', 'name']);
  return line === undefined ? source : `${source}:${line}`;
}

/** The spec that is known already where the new one says the same, so that nothing is compiled for it again. */
function sameAs(known: Spec | undefined, spec: Spec): Spec {
  return known !== undefined && JSON.stringify(known) === JSON.stringify(spec) ? known : spec;
}

/** What only shows between documents, and with it what is in force. */
function settle(
  before: Catalog,
  candidates: ReadonlyMap<string, CatalogEntry>,
  sorted: SortedDocuments,
  settings: CatalogSettings,
): Catalog {
  const all = [...candidates.values()];
  const accepted = all.flatMap(toMember);
  const report = checkSet({
    policies: accepted,
    providers: providersOf(all),
    refusedProviders: new Set(all.filter(({ inForce }) => inForce === undefined).map(({ key }) => key)),
    refusedPolicies: all.flatMap(({ inForce, refused }) => (inForce === undefined ? (refused?.policy ?? []) : [])),
    grants: settings.grants,
    inForce: heldClaims(before, candidates),
  });
  const entries = new Map<string, CatalogEntry>();
  for (const entry of all) {
    const found = report.problems.get(entry.key);
    entries.set(entry.key, found === undefined ? entry : refuseBeside(entry, found, before.entries.get(entry.key)));
  }
  const refusedPolicies = [...entries.values()].flatMap(({ inForce, refused }) => {
    if (inForce !== undefined || refused?.policy === undefined) return [];
    return [{ ...refused.policy, hosts: report.hostsOf(refused.policy) }];
  });
  return { entries, materials: sorted.materials, problems: sorted.problems, refusedPolicies };
}

function refuseBeside(
  entry: CatalogEntry,
  problems: readonly Problem[],
  before: CatalogEntry | undefined,
): CatalogEntry {
  const [document] = entry.documents;
  if (entry.inForce === undefined || document === undefined) return entry;
  const refused = refusedDocument(entry.inForce, document);
  return { ...entry, inForce: before?.inForce, refused, problems: [...entry.problems, ...problems] };
}

function toMember({ key, inForce, refused, documents: [document] }: CatalogEntry): SetMember<AccessPolicySpec>[] {
  const isAccepted = refused === undefined && inForce?.kind === 'AccessPolicy' && document !== undefined;
  return isAccepted ? [{ key, spec: inForce, document }] : [];
}

/** The claims that were in force before and still are: of accepted policies those they keep, of refused ones all. */
function heldClaims(before: Catalog, candidates: ReadonlyMap<string, CatalogEntry>): HostClaim[] {
  return policiesOf(before).flatMap(({ key, spec }) => {
    const now = candidates.get(key);
    if (now === undefined) return [];
    const kept = now.refused === undefined && now.inForce?.kind === 'AccessPolicy' ? now.inForce.hosts : spec.hosts;
    return claimsOf({ namespace: spec.namespace, hosts: spec.hosts.filter((host) => kept.includes(host)) });
  });
}

/** The policies in force. */
export function policiesOf(catalog: Catalog): readonly { readonly key: string; readonly spec: AccessPolicySpec }[] {
  return [...catalog.entries.values()].flatMap(({ key, inForce }) =>
    inForce?.kind === 'AccessPolicy' ? [{ key, spec: inForce }] : [],
  );
}

/** The providers in force, by key. */
export function providersOf(entries: Iterable<CatalogEntry>): Map<string, IdentityProviderSpec> {
  const providers = new Map<string, IdentityProviderSpec>();
  for (const { key, inForce } of entries) {
    if (inForce !== undefined && inForce.kind !== 'AccessPolicy') providers.set(key, inForce);
  }
  return providers;
}

/** Names of refused cluster policies that never were valid. */
export function refusedFloorsOf(catalog: Catalog): string[] {
  return [...catalog.entries.values()].flatMap(({ inForce, refused }) =>
    inForce === undefined && refused?.kind === 'ClusterAccessPolicy' ? [refused.name] : [],
  );
}

export function toDocumentStatus({ key, inForce, refused, problems }: CatalogEntry): DocumentStatus {
  const { kind, namespace, name } = refused ?? inForce ?? { kind: '', namespace: '', name: '' };
  const serving = refused === undefined ? 'current' : inForce === undefined ? 'refused' : 'last-good';
  return { key, kind, namespace, name, accepted: refused === undefined, serving, problems };
}

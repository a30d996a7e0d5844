import { hasError, type Problem } from '../core/problem.ts';
import type { DocumentStatus } from '../core/status.ts';
import type { GrantSetting, HostClaim } from '../policy/check-hosts.ts';
import { checkSet, claimsOf, type SetReport, type SetMember } from '../policy/check-set.ts';
import type { ParsedDocument } from '../policy/parse-document.ts';
import type { Material } from '../policy/read-material.ts';
import { shadowWarnings } from '../policy/suspicions/shadowed-hosts.ts';
import type { RefusedPolicy } from '../policy/salvage-policy.ts';
import type {
  AccessPolicySpec,
  AuthorDocument,
  IdentityProviderSpec,
  PolicySpec,
  SourceReading,
} from '../policy/spec.ts';
import {
  isPolicy,
  refuseBeside,
  toEntry,
  toUnreadEntry,
  type CatalogEntry,
  type NamedVersion,
} from './catalog-entry.ts';

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
  const unread = new Set<string>();
  for (const [key, entry] of before.entries) {
    if (candidates.has(key) || !entry.documents.some(({ source }) => sorted.unreadable.has(source))) continue;
    candidates.set(key, toUnreadEntry(entry));
    for (const { source } of entry.documents) unread.add(source);
  }
  // A policy without a name may be one of those that stay; where none stays it never was valid.
  const nameless = sorted.nameless.flatMap(({ policy, source }) => (unread.has(source) ? [] : [policy]));
  return settle(before, candidates, sorted, nameless, settings);
}

interface ReadMaterial {
  readonly material: Material;
  readonly isGood: boolean;
}

interface SortedDocuments {
  readonly named: ReadonlyMap<string, readonly NamedVersion[]>;
  readonly materials: ReadonlyMap<string, readonly ReadMaterial[]>;
  readonly nameless: readonly { readonly policy: RefusedPolicy; readonly source: string }[];
  readonly problems: readonly Problem[];
  readonly unreadable: ReadonlySet<string>;
}

function sortDocuments(reading: SourceReading, settings: CatalogSettings): SortedDocuments {
  const named = new Map<string, NamedVersion[]>();
  const materials = new Map<string, ReadMaterial[]>();
  const nameless: { readonly policy: RefusedPolicy; readonly source: string }[] = [];
  const problems: Problem[] = [...reading.problems];
  // A document without a readable name may be any of those that its file held before.
  const unreadable = new Set(reading.unreadable);
  for (const document of reading.documents) {
    const parsed = settings.parse(document);
    // A text that is not well-formed may have swallowed the documents behind it: a quote that is never closed, a --- that is missing.
    if (hasError(document.problems)) unreadable.add(document.source);
    if (parsed.kind === 'accepted' || parsed.kind === 'refused') {
      const versions = named.get(parsed.key);
      if (versions === undefined) named.set(parsed.key, [{ document, parsed }]);
      else versions.push({ document, parsed });
      continue;
    }
    problems.push(...parsed.problems);
    if (parsed.kind === 'nameless') {
      unreadable.add(document.source);
      if (parsed.policy !== undefined) nameless.push({ policy: parsed.policy, source: document.source });
    }
    if (parsed.kind !== 'material') continue;
    const read = { material: parsed.material, isGood: !hasError(parsed.problems) };
    const others = materials.get(parsed.key);
    if (others !== undefined) problems.push(materialTwice(parsed.key, document, others));
    materials.set(parsed.key, [...(others ?? []), read]);
  }
  return { named, materials, nameless, problems, unreadable };
}

function materialTwice(key: string, document: AuthorDocument, others: readonly ReadMaterial[]): Problem {
  const message = `the ${key} is there twice: also ${others.map(({ material }) => material.source).join(', ')}`;
  const place = document.placeOf(['metadata', 'name']);
  return { code: 'duplicate-document', severity: 'error', message, field: 'metadata.name', place };
}

/** What providers refer to. Where it is not good, there twice or in a file that cannot be read, what was there before stays (S4). */
function settleMaterials(before: Catalog, { materials, unreadable }: SortedDocuments): ReadonlyMap<string, Material> {
  const settled = new Map<string, Material>();
  for (const [key, material] of before.materials)
    if (!materials.has(key) && unreadable.has(material.source)) settled.set(key, material);
  for (const [key, found] of materials) {
    const [first] = found;
    const isUsable = first !== undefined && first.isGood && found.length === 1;
    const material = isUsable ? first.material : before.materials.get(key);
    if (material !== undefined) settled.set(key, material);
  }
  return settled;
}

/**
 * Holds the documents against each other. A policy that is refused here stays in force as it was, so it keeps the hosts that its new
 * version would have given up: those are held for it, and the set is held against itself again until nothing new is refused.
 */
function checkUntilStable(
  before: Catalog,
  candidates: ReadonlyMap<string, CatalogEntry>,
  policies: readonly SetMember<AccessPolicySpec>[],
  nameless: readonly RefusedPolicy[],
  settings: CatalogSettings,
): SetReport {
  const all = [...candidates.values()];
  let staying: ReadonlySet<string> = new Set();
  for (;;) {
    const report = checkSet({
      policies,
      providers: providersOf(all),
      refusedProviders: new Set(all.filter(({ inForce }) => inForce === undefined).map(({ key }) => key)),
      refusedPolicies: [...nameless, ...all.flatMap(refusedPolicyOf)],
      grants: settings.grants,
      inForce: heldClaims(before, candidates, staying),
    });
    const refused = new Set([...staying, ...report.problems.keys()]);
    if (refused.size === staying.size) return report;
    staying = refused;
  }
}

/** What only shows between documents, and with it what is in force. */
function settle(
  before: Catalog,
  candidates: ReadonlyMap<string, CatalogEntry>,
  sorted: SortedDocuments,
  nameless: readonly RefusedPolicy[],
  settings: CatalogSettings,
): Catalog {
  const all = [...candidates.values()];
  const accepted = all.flatMap(toMember);
  const report = checkUntilStable(before, candidates, accepted, nameless, settings);
  const entries = new Map<string, CatalogEntry>();
  const warnings = shadowWarnings(accepted);
  for (const entry of all) {
    const found = report.problems.get(entry.key);
    if (found === undefined) entries.set(entry.key, warnBeside(entry, warnings.get(entry.key)));
    else entries.set(entry.key, refuseBeside(entry, found, before.entries.get(entry.key)));
  }
  const refusedPolicies = [...nameless, ...[...entries.values()].flatMap(refusedPolicyOf)].flatMap(report.mayDeny);
  return { entries, materials: settleMaterials(before, sorted), problems: sorted.problems, refusedPolicies };
}

function refusedPolicyOf({ inForce, refused }: CatalogEntry): readonly RefusedPolicy[] {
  return inForce !== undefined || refused?.policy === undefined ? [] : [refused.policy];
}

/** An entry with the warnings that only show beside others, in the place of those it may have had before. */
function warnBeside(entry: CatalogEntry, warnings: readonly Problem[] = []): CatalogEntry {
  const own = entry.problems.filter(({ code }) => code !== 'shadow-wider-decides');
  const isSame = warnings.length === 0 && own.length === entry.problems.length;
  return isSame ? entry : { ...entry, problems: [...own, ...warnings] };
}

/** The accepted policies of the catalog, each with its document. */
export function membersOf(catalog: Catalog): readonly SetMember<AccessPolicySpec>[] {
  return [...catalog.entries.values()].flatMap(toMember);
}

function toMember({ key, inForce, refused, documents: [document] }: CatalogEntry): SetMember<AccessPolicySpec>[] {
  const isAccepted = refused === undefined && inForce?.kind === 'AccessPolicy' && document !== undefined;
  return isAccepted ? [{ key, spec: inForce, document }] : [];
}

/** The claims that were in force before and still are: what an accepted policy of the namespace still claims, of refused ones all. */
function heldClaims(
  before: Catalog,
  candidates: ReadonlyMap<string, CatalogEntry>,
  staying: ReadonlySet<string>,
): HostClaim[] {
  const accepted = [...candidates.values()].flatMap(toMember).filter(({ spec }) => spec.mode === 'Enforce');
  // By namespace and not by document: a policy under a new name gives nothing up.
  const kept = new Set(accepted.flatMap(({ spec }) => claimsOf(spec).map(formatClaim)));
  return policiesOf(before).flatMap(({ key, spec }) => {
    if (spec.kind !== 'AccessPolicy' || spec.mode === 'Shadow') return [];
    const now = candidates.get(key);
    const stays = now !== undefined && (now.refused !== undefined || staying.has(key));
    return claimsOf(spec).filter((claim) => stays || kept.has(formatClaim(claim)));
  });
}

function formatClaim({ namespace, pattern }: HostClaim): string {
  return `${namespace} ${pattern}`;
}

/** The policies in force, those in shadow mode among them. */
export function policiesOf(catalog: Catalog): readonly { readonly key: string; readonly spec: PolicySpec }[] {
  return [...catalog.entries.values()].flatMap(({ key, inForce }) =>
    inForce !== undefined && isPolicy(inForce) ? [{ key, spec: inForce }] : [],
  );
}

/** The providers in force, by key. */
export function providersOf(entries: Iterable<CatalogEntry>): Map<string, IdentityProviderSpec> {
  const providers = new Map<string, IdentityProviderSpec>();
  for (const { key, inForce } of entries) {
    if (inForce !== undefined && !isPolicy(inForce)) providers.set(key, inForce);
  }
  return providers;
}

export function toDocumentStatus({ key, inForce, refused, problems }: CatalogEntry): DocumentStatus {
  const { kind, namespace, name } = refused ?? inForce ?? { kind: '', namespace: '', name: '' };
  const serving = refused === undefined ? 'current' : inForce === undefined ? 'refused' : 'last-good';
  return { key, kind, namespace, name, accepted: refused === undefined, serving, problems };
}

import { isJsonObject } from '../core/json.ts';
import type { Problem } from '../core/problem.ts';
import type { DocumentVersion, HostConflict } from '../core/status.ts';
import { refusedDocument, type ParsedDocument, type RefusedDocument } from '../policy/parse-document.ts';
import { mergeRefusedPolicies, toRefusedPolicy, type RefusedPolicy } from '../policy/salvage-policy.ts';
import type { AuthorDocument, PolicySpec, Spec } from '../policy/spec.ts';

/** One document by its name: its newest version, and the generation of it that serves. */
export interface CatalogEntry extends DocumentVersions {
  readonly key: string;
  /** What serves: the newest version, or the last good one (S4), of a policy with its own hosts alone; undefined where none must. */
  readonly inForce: Spec | undefined;
  /** The newest version that was good, whole, whether it serves or not. */
  readonly lastGood: Spec | undefined;
  readonly lastGoodVersion: DocumentVersion | undefined;
  /** What was refused; undefined where the newest version is accepted. */
  readonly refused: RefusedDocument | undefined;
  /** The refused policy that denies in the place of what it would have decided, with the hosts that are its own. */
  readonly denying: RefusedPolicy | undefined;
  /** The hosts that its namespace has because it has, or had, them in force; only where documents have no age (S10). */
  readonly holds: readonly string[];
  /** The hosts that it names and that are not its own; where documents have no age, of policies in shadow mode alone. */
  readonly conflicts: readonly HostConflict[];
  readonly problems: readonly Problem[];
}

/** A document that says its name, accepted or refused. */
export interface NamedVersion {
  readonly document: AuthorDocument;
  readonly parsed: Extract<ParsedDocument, { readonly kind: 'accepted' | 'refused' }>;
}

/** The documents that bear a name now. */
export interface DocumentVersions {
  /** By their places: one, but where somebody made a mistake. */
  readonly versions: readonly NamedVersion[];
  /** True where their file cannot be read in whole, so that nobody knows what became of them. */
  readonly isUnread: boolean;
}

/** The entry of a name, from all documents that bear it now and the entry before, judged by itself alone. */
export function toEntry(
  key: string,
  { versions, isUnread }: DocumentVersions,
  known: CatalogEntry | undefined,
): CatalogEntry {
  const before = known !== undefined && isSameObject(known.versions, versions) ? known : undefined;
  const own = toOwnEntry(key, versions, before);
  return isUnread ? { ...toUnreadEntry(own, before), isUnread } : own;
}

function toOwnEntry(key: string, versions: readonly NamedVersion[], before: CatalogEntry | undefined): CatalogEntry {
  const [only, ...others] = versions;
  const { lastGood, lastGoodVersion } = before ?? {};
  const rest = { isUnread: false, denying: undefined, holds: [], conflicts: [] };
  const entry = { key, versions, lastGood, lastGoodVersion, ...rest };
  if (only === undefined || others.length > 0) {
    return { ...entry, ...whileRefused(mergeRefused(versions), lastGood, versions), problems: twice(key, versions) };
  }
  const { parsed, document } = only;
  if (parsed.kind === 'refused')
    return { ...entry, ...whileRefused(parsed.document, lastGood, versions), problems: parsed.problems };
  const spec = sameAs(lastGood, parsed.spec);
  return {
    ...entry,
    lastGood: spec,
    lastGoodVersion: document.version,
    inForce: spec,
    refused: undefined,
    problems: parsed.problems,
  };
}

/** False for an object of a cluster that was deleted and made anew under the same name. */
function isSameObject(before: readonly NamedVersion[], now: readonly NamedVersion[]): boolean {
  const [old, fresh] = [before[0]?.document.version, now[0]?.document.version];
  return old === undefined || fresh === undefined || old.uid === fresh.uid;
}

/** Two documents of one name: nobody can say which is meant. */
function twice(key: string, versions: readonly NamedVersion[]): Problem[] {
  return versions.map(({ document }): Problem => {
    const others = versions.filter((other) => other.document !== document).map((other) => formatPlace(other.document));
    return {
      code: 'duplicate-document',
      severity: 'error',
      message: `the ${key} is there twice: also ${others.join(', ')}`,
      field: 'metadata.name',
      place: document.placeOf(['metadata', 'name']),
    };
  });
}

/** Of several refused versions, all that any of them would have governed. */
function mergeRefused(versions: readonly NamedVersion[]): RefusedDocument | undefined {
  const refused = versions.map(({ document, parsed }) =>
    parsed.kind === 'refused' ? parsed.document : refusedDocument(parsed.spec, document),
  );
  const [first] = refused;
  return first && { ...first, policy: mergeRefusedPolicies(refused.flatMap(({ policy }) => policy ?? [])) };
}

/**
 * What serves while the newest version is refused (S4): the last good one, unless it or the newest says `onInvalid: Deny`; then what either
 * would have governed is denied.
 */
function whileRefused(
  refused: RefusedDocument | undefined,
  last: Spec | undefined,
  versions: readonly NamedVersion[],
): Pick<CatalogEntry, 'inForce' | 'refused'> {
  if (last === undefined || !isPolicy(last)) return { inForce: last, refused };
  if (last.onInvalid !== 'Deny' && !versions.some(saysDeny)) return { inForce: last, refused };
  if (refused === undefined || last.mode === 'Shadow') return { inForce: undefined, refused };
  const policy = mergeRefusedPolicies([
    ...(refused.policy === undefined ? [] : [refused.policy]),
    toRefusedPolicy(last),
  ]);
  return { inForce: undefined, refused: { ...refused, policy } };
}

/** An entry whose file cannot be read in whole: nobody knows what became of its document, which counts as refused where it says Deny. */
function toUnreadEntry(own: CatalogEntry, before: CatalogEntry | undefined): CatalogEntry {
  const { inForce: spec, refused, versions } = own;
  if (refused !== undefined || spec === undefined || !isPolicy(spec) || spec.onInvalid !== 'Deny') return own;
  const { kind, namespace, name } = spec;
  const { lastGood, lastGoodVersion } = before ?? {};
  const [version] = versions;
  const unread = { kind, namespace, name, policy: undefined };
  const isServing = lastGood === spec || version === undefined;
  const meanwhile = whileRefused(isServing ? unread : refusedDocument(spec, version.document), lastGood, versions);
  return { ...own, lastGood, lastGoodVersion, ...meanwhile };
}

/** A refused document is asked as it is written. */
function saysDeny({ document: { value } }: NamedVersion): boolean {
  const spec = isJsonObject(value) ? value['spec'] : undefined;
  return isJsonObject(spec) && spec['onInvalid'] === 'Deny';
}

/** Narrows to the kinds that govern requests. */
export function isPolicy(spec: Spec): spec is PolicySpec {
  return spec.kind === 'AccessPolicy' || spec.kind === 'ClusterAccessPolicy';
}

function formatPlace(document: AuthorDocument): string {
  const { source, line } = document.placeOf(['metadata', 'name']);
  return line === undefined ? source : `${source}:${line}`;
}

/** The spec that is known already where the new one says the same, so that nothing is compiled for it again. */
function sameAs(known: Spec | undefined, spec: Spec): Spec {
  return known !== undefined && JSON.stringify(known) === JSON.stringify(spec) ? known : spec;
}

/** An entry that is good by itself and refused for what only shows beside others. */
export function refuseBeside(
  entry: CatalogEntry,
  problems: readonly Problem[],
  before: CatalogEntry | undefined,
): CatalogEntry {
  const [version] = entry.versions;
  if (entry.inForce === undefined || version === undefined) return entry;
  const isSame = before !== undefined && isSameObject(before.versions, entry.versions);
  const { lastGood, lastGoodVersion } = (isSame ? before : undefined) ?? {};
  const refused = refusedDocument(entry.inForce, version.document);
  const meanwhile = whileRefused(refused, lastGood, entry.versions);
  return { ...entry, lastGood, lastGoodVersion, ...meanwhile, problems: [...entry.problems, ...problems] };
}

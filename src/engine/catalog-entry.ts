import { isJsonObject } from '../core/json.ts';
import type { Problem } from '../core/problem.ts';
import { refusedDocument, type ParsedDocument, type RefusedDocument } from '../policy/parse-document.ts';
import { mergeRefusedPolicies, toRefusedPolicy } from '../policy/salvage-policy.ts';
import type { AuthorDocument, PolicySpec, Spec } from '../policy/spec.ts';

/** One document by its name: its newest version, and the generation of it that serves. */
export interface CatalogEntry {
  readonly key: string;
  readonly documents: readonly AuthorDocument[];
  /** What serves: the newest version, or the last good one (S4); undefined where there is none, or it must not serve. */
  readonly inForce: Spec | undefined;
  /** The newest version that was good, whether it serves or not. */
  readonly lastGood: Spec | undefined;
  /** What was refused; undefined where the newest version is accepted. */
  readonly refused: RefusedDocument | undefined;
  readonly problems: readonly Problem[];
}

/** A document that says its name, accepted or refused. */
export interface NamedVersion {
  readonly document: AuthorDocument;
  readonly parsed: Extract<ParsedDocument, { readonly kind: 'accepted' | 'refused' }>;
}

/** The entry of a name, from all documents that bear it now and the entry before. */
export function toEntry(
  key: string,
  versions: readonly NamedVersion[],
  before: CatalogEntry | undefined,
): CatalogEntry {
  const documents = versions.map(({ document }) => document);
  const [only, ...others] = versions;
  if (only === undefined || others.length > 0) return duplicated(key, versions, before);
  const { parsed } = only;
  if (parsed.kind === 'refused') {
    const lastGood = before?.lastGood;
    return {
      key,
      documents,
      lastGood,
      ...whileRefused(parsed.document, lastGood, documents),
      problems: parsed.problems,
    };
  }
  const spec = sameAs(before?.lastGood, parsed.spec);
  return { key, documents, lastGood: spec, inForce: spec, refused: undefined, problems: parsed.problems };
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
  const documents = versions.map(({ document }) => document);
  const lastGood = before?.lastGood;
  return { key, documents, lastGood, ...whileRefused(mergeRefused(refused), lastGood, documents), problems };
}

/** Of several refused versions, all that any of them would have governed. */
function mergeRefused(versions: readonly RefusedDocument[]): RefusedDocument | undefined {
  const [first] = versions;
  return first && { ...first, policy: mergeRefusedPolicies(versions.flatMap(({ policy }) => policy ?? [])) };
}

/**
 * What serves while the newest version is refused (S4): the last good one, unless it or the newest says `onInvalid: Deny`; then what either
 * would have governed is denied.
 */
function whileRefused(
  refused: RefusedDocument | undefined,
  last: Spec | undefined,
  documents: readonly AuthorDocument[],
): Pick<CatalogEntry, 'inForce' | 'refused'> {
  if (last === undefined || !isPolicy(last)) return { inForce: last, refused };
  if (last.onInvalid !== 'Deny' && !documents.some(saysDeny)) return { inForce: last, refused };
  if (refused === undefined || last.mode === 'Shadow') return { inForce: undefined, refused };
  const policy = mergeRefusedPolicies([
    ...(refused.policy === undefined ? [] : [refused.policy]),
    toRefusedPolicy(last),
  ]);
  return { inForce: undefined, refused: { ...refused, policy } };
}

/** An entry whose file cannot be read in whole: nobody knows what became of its document, which counts as refused where it says Deny. */
export function toUnreadEntry(entry: CatalogEntry): CatalogEntry {
  const { lastGood, refused } = entry;
  if (refused !== undefined || lastGood === undefined || !isPolicy(lastGood) || lastGood.onInvalid !== 'Deny')
    return entry;
  const { kind, namespace, name } = lastGood;
  return { ...entry, ...whileRefused({ kind, namespace, name, policy: undefined }, lastGood, []) };
}

/** A refused document is asked as it is written. */
function saysDeny({ value }: AuthorDocument): boolean {
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
  const [document] = entry.documents;
  if (entry.inForce === undefined || document === undefined) return entry;
  const lastGood = before?.lastGood;
  const refused = refusedDocument(entry.inForce, document);
  const meanwhile = whileRefused(refused, lastGood, entry.documents);
  return { ...entry, lastGood, ...meanwhile, problems: [...entry.problems, ...problems] };
}

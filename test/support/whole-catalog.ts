import { hasError } from '../../src/core/problem.ts';
import type { CatalogEntry, DocumentVersions, NamedVersion } from '../../src/engine/catalog-entry.ts';
import { isNameless } from '../../src/engine/claims.ts';
import { asNameless } from '../../src/engine/documents.ts';
import type { EntryIndex } from '../../src/engine/entry-index.ts';
import { judgeChange } from '../../src/engine/judge-change.ts';
import type { GrantSetting } from '../../src/policy/check-hosts.ts';
import type { ParsedDocument } from '../../src/policy/parse-document.ts';
import type { AuthorDocument, SourceReading } from '../../src/policy/spec.ts';
import { runAtOnce } from '../../src/std/steps.ts';

export type Entries = ReadonlyMap<string, CatalogEntry>;

/** The entries of a whole reading, after those before: everything is judged, and nothing is looked up but what was before. */
export function judgeWhole(
  before: Entries,
  { documents, unreadable }: SourceReading,
  parse: (document: AuthorDocument) => ParsedDocument,
  grants: GrantSetting,
): Entries {
  const hidden = new Set(unreadable);
  const named = new Map<string, NamedVersion[]>();
  for (const document of documents) {
    const parsed = parse(document);
    if (parsed.kind === 'nameless' || hasError(document.problems)) hidden.add(document.source);
    if (parsed.kind !== 'accepted' && parsed.kind !== 'refused') continue;
    named.set(parsed.key, [...(named.get(parsed.key) ?? []), { document, parsed }]);
  }
  const all = new Map<string, DocumentVersions>();
  for (const [key, versions] of named) all.set(key, { versions, isUnread: false });
  const staying = new Set<string>();
  for (const [key, entry] of before) {
    if (all.has(key)) continue;
    const { versions } = entry;
    const isUnread = !isNameless(entry) && versions.some(({ document }) => hidden.has(document.source));
    all.set(key, { versions: isUnread ? versions : [], isUnread });
    if (isUnread) for (const { document } of versions) staying.add(document.source);
  }
  for (const document of documents) {
    const version = staying.has(document.source) ? undefined : asNameless(document, parse(document));
    if (version !== undefined) all.set(version.parsed.key, { versions: [version], isUnread: false });
  }
  const index: EntryIndex = {
    entry: (key) => before.get(key),
    claimants: () => [],
    agedClaims: () => [],
    claimantsAtOrBelow: () => [],
    claimedAtOrBelow: () => [],
    usersOf: () => [],
    shadowsAt: () => [],
    shadowsAtOrBelow: () => [],
  };
  const judged = runAtOnce(judgeChange(all, index, grants));
  return new Map([...judged].flatMap(([key, entry]) => (entry === undefined ? [] : [[key, entry] as const])));
}

import type { GrantSetting } from '../policy/check-hosts.ts';
import { checkProviders, type FindProvider } from '../policy/check-providers.ts';
import { createProblemList } from '../policy/problem-list.ts';
import type { Problem } from '../core/problem.ts';
import type { Steps } from '../std/steps.ts';
import { isPolicy, refuseBeside, type CatalogEntry, type DocumentVersions } from './catalog-entry.ts';
import { acceptedPolicy } from './claims.ts';
import { draftChange, type Draft, type Drafts } from './draft-change.ts';
import type { EntryChanges, EntryIndex } from './entry-index.ts';
import { settleHosts, type HeldHosts } from './settle-hosts.ts';
import { shareHosts } from './share-hosts.ts';
import { warnOfShadows } from './warn-of-shadows.ts';

/** The documents that bear a name now, by its key; without versions: it is gone. */
export type ChangedDocuments = ReadonlyMap<string, DocumentVersions>;

/**
 * What becomes of the entries: of those whose documents changed, and of those that they touch (S4, S9, S10). Pure: nothing is in force
 * by it. With every name among the changed it judges a whole set.
 */
export function* judgeChange(changed: ChangedDocuments, index: EntryIndex, grants: GrantSetting): Steps<EntryChanges> {
  const drafts = yield* draftChange(changed, index, grants);
  const refused = yield* refuseByProviders(drafts, index);
  const held = yield* settleHosts(drafts, refused, grants);
  const entries = new Map<string, CatalogEntry | undefined>();
  for (const draft of drafts.values()) {
    entries.set(draft.key, toFinalEntry(draft, refused.get(draft.key), held));
    yield;
  }
  yield* shareHosts(entries, index, grants);
  yield* warnOfShadows(entries, index);
  return entries;
}

/** Providers that cannot be found or told apart: Problems by the key of the policy they refuse. */
function* refuseByProviders(drafts: Drafts, index: EntryIndex): Steps<ReadonlyMap<string, readonly Problem[]>> {
  const find: FindProvider = (key) => {
    const draft = drafts.get(key);
    const entry = draft === undefined ? index.entry(key) : draft.candidate;
    if (entry === undefined) return undefined;
    const { inForce } = entry;
    return inForce !== undefined && !isPolicy(inForce) ? inForce : 'refused';
  };
  const refused = new Map<string, readonly Problem[]>();
  for (const { key, candidate } of drafts.values()) {
    const policy = candidate && acceptedPolicy(candidate);
    const document = candidate?.versions[0]?.document;
    if (policy === undefined || document === undefined) continue;
    const problems = createProblemList(document, []);
    checkProviders(policy, document.value, find, problems);
    if (problems.all.length > 0) refused.set(key, problems.all);
    yield;
  }
  return refused;
}

function toFinalEntry(
  { key, before, candidate }: Draft,
  byProviders: readonly Problem[] = [],
  held: HeldHosts,
): CatalogEntry | undefined {
  if (candidate === undefined) return undefined;
  const problems = [...(held.problems.get(key) ?? []), ...byProviders];
  const entry = problems.length === 0 ? candidate : refuseBeside(candidate, problems, before);
  return held.settle(entry, before);
}

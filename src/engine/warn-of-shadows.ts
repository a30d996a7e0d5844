import type { Problem } from '../core/problem.ts';
import { shadowWarnings } from '../policy/suspicions/shadowed-hosts.ts';
import type { Steps } from '../std/steps.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { enforcedHosts, nameOf, shadowHosts } from './claims.ts';
import type { EntryIndex } from './entry-index.ts';

/** Brings the warnings of policies in shadow mode up to date (S9): of those of the change, and of those on hosts that others of it govern. */
export function* warnOfShadows(entries: Map<string, CatalogEntry | undefined>, index: EntryIndex): Steps<void> {
  const governing = new Map<string, string[]>();
  const shadows = new Set<string>();
  for (const [key, entry] of entries) {
    const hosts = enforcedHosts(entry?.inForce);
    for (const host of hosts) {
      const known = governing.get(host);
      const id = entry === undefined ? '' : idOf(entry);
      if (known === undefined) governing.set(host, [id]);
      else known.push(id);
    }
    if (entry !== undefined && shadowHosts(entry).length > 0) shadows.add(key);
    for (const host of new Set([...hosts, ...enforcedHosts(index.entry(key)?.inForce)])) {
      for (const shadow of index.shadowsAtOrBelow(host)) shadows.add(shadow);
    }
    yield;
  }
  const decidedBy = (pattern: string): string | undefined => {
    const ids = [...(governing.get(pattern) ?? [])];
    for (const key of index.claimants(pattern)) {
      const entry = entries.has(key) ? undefined : index.entry(key);
      if (entry !== undefined && enforcedHosts(entry.inForce).includes(pattern)) ids.push(idOf(entry));
    }
    return ids.sort()[0];
  };
  for (const key of shadows) {
    const entry = entries.has(key) ? entries.get(key) : index.entry(key);
    const document = entry?.versions[0]?.document;
    if (entry === undefined || entry.refused !== undefined || document === undefined) continue;
    const { lastGood: policy } = entry;
    if (policy?.kind !== 'AccessPolicy') continue;
    // Of all its hosts: that one is not its own may be because it is in shadow mode.
    const next = warnBeside(entry, policy.mode === 'Shadow' ? shadowWarnings(policy, document, decidedBy) : []);
    if (next !== entry) entries.set(key, next);
    yield;
  }
}

function idOf(entry: CatalogEntry): string {
  const { namespace, name } = nameOf(entry);
  return `${namespace}/${name}`;
}

/** An entry with the warnings that only show beside others, in the place of those it may have had before. */
function warnBeside(entry: CatalogEntry, warnings: readonly Problem[]): CatalogEntry {
  const own = entry.problems.filter(({ code }) => code !== 'shadow-wider-decides');
  const had = entry.problems.filter(({ code }) => code === 'shadow-wider-decides');
  const isSame =
    had.length === warnings.length && had.every(({ message }, index) => message === warnings[index]?.message);
  return isSame ? entry : { ...entry, problems: [...own, ...warnings] };
}

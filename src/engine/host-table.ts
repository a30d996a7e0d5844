import { widerPatterns } from '../policy/read-host.ts';
import type { Steps } from '../std/steps.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { createGroup, type PolicyGroup } from './policy-group.ts';
import { shareParts, type PolicyPart } from './policy-part.ts';

export interface HostTable {
  /** The nearest pattern that has policies: the exact host, the longest wildcard, then shorter ones, `*` (S5). */
  find(host: string): HostEntry | undefined;
  /** By host, and `*`. */
  readonly exact: ReadonlyMap<string, HostEntry>;
  /** Wildcards by what stands behind `*.`. */
  readonly below: ReadonlyMap<string, HostEntry>;
}

export interface HostEntry {
  readonly pattern: string;
  /** What is attached to the pattern itself. */
  readonly part: PolicyPart;
  /** That, and what wider patterns have. */
  readonly group: PolicyGroup;
}

/** A policy that takes the place of another one; undefined: there is none. */
export interface PolicyChange {
  readonly before: CompiledPolicy | undefined;
  readonly after: CompiledPolicy | undefined;
}

export const emptyHostTable: HostTable = { exact: new Map(), below: new Map(), find: () => undefined };

/**
 * The table with these enforced policies in the places of others: entries of which no policy changed are taken over, and patterns with the
 * same policies share a part.
 * `isApart`: a wildcard restricts no host that another namespace governs (S10).
 */
export function* changeHostTable(
  table: HostTable,
  changes: readonly PolicyChange[],
  isApart: boolean,
): Steps<HostTable> {
  const nearest = yield* changeNearest(table, changes);
  if (nearest.size === 0) return table;
  const partFrom = shareParts();
  const changed = new Map<string, PolicyPart | undefined>();
  for (const [pattern, policies] of nearest)
    changed.set(pattern, policies.length === 0 ? undefined : yield* partFrom(policies));
  const partAt = (pattern: string): PolicyPart | undefined =>
    changed.has(pattern) ? changed.get(pattern) : entryOf(table, pattern)?.part;
  const next = new Map<string, HostEntry | undefined>();
  const patterns = new Set(nearest.keys());
  for (const pattern of nearest.keys()) {
    if (!pattern.startsWith('*')) continue;
    for (const covered of patternsBelow(table, pattern)) patterns.add(covered);
    yield;
  }
  for (const pattern of patterns) {
    const part = partAt(pattern);
    const parts = part === undefined ? [] : [part];
    for (const wider of part === undefined ? [] : widerPatterns(pattern)) {
      const covering = partAt(wider);
      const theirs = covering && isApart ? ownedBy(covering, part) : covering?.policies;
      if (covering === undefined || theirs === undefined || theirs.length === 0) continue;
      parts.push(theirs.length === covering.policies.length ? covering : yield* partFrom(theirs));
    }
    const known = entryOf(table, pattern);
    if (known !== undefined && known.part === part && sameElements(known.group.parts, parts)) continue;
    next.set(pattern, part && { pattern, part, group: createGroup([part], parts) });
    yield;
  }
  return replaceEntries(table, next);
}

/** Those of the policies that are of a namespace which has policies at the nearer place. */
function ownedBy(
  { policies, namespaces }: PolicyPart,
  nearer: Pick<PolicyPart, 'namespaces'> | undefined,
): readonly CompiledPolicy[] {
  const isTheirs = (namespace: string): boolean => nearer?.namespaces.has(namespace) === true;
  if ([...namespaces].every(isTheirs)) return policies;
  return policies.filter(({ namespace }) => isTheirs(namespace));
}

/** The policies of the patterns that a change touches, by their names. */
function* changeNearest(
  table: HostTable,
  changes: readonly PolicyChange[],
): Steps<ReadonlyMap<string, readonly CompiledPolicy[]>> {
  const gone = new Set(changes.map(({ before }) => before));
  const added = new Map<string, CompiledPolicy[]>();
  const touch = (pattern: string): CompiledPolicy[] => {
    const known = added.get(pattern) ?? [];
    added.set(pattern, known);
    return known;
  };
  for (const { before, after } of changes) {
    for (const pattern of before?.hosts ?? []) touch(pattern);
    if (after !== undefined) for (const pattern of after.hosts) touch(pattern).push(after);
    yield;
  }
  const nearest = new Map<string, readonly CompiledPolicy[]>();
  for (const [pattern, policies] of added) {
    const staying = entryOf(table, pattern)?.part.policies.filter((policy) => !gone.has(policy)) ?? [];
    nearest.set(
      pattern,
      [...staying, ...policies].sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
    yield;
  }
  return nearest;
}

function entryOf({ exact, below }: HostTable, pattern: string): HostEntry | undefined {
  return pattern.startsWith('*.') ? below.get(pattern.slice(2)) : exact.get(pattern);
}

/** The patterns of the table that the wildcard covers. */
function* patternsBelow({ exact, below }: HostTable, wildcard: string): Iterable<string> {
  const suffix = wildcard.slice(1);
  for (const host of exact.keys()) if (host.endsWith(suffix) && host !== wildcard && !isAddress(host)) yield host;
  for (const rest of below.keys()) if (rest.endsWith(suffix)) yield `*.${rest}`;
  // `*` alone covers addresses in brackets, which have no labels.
  if (wildcard === '*') for (const host of exact.keys()) if (isAddress(host)) yield host;
}

function isAddress(host: string): boolean {
  return host.startsWith('[');
}

/** The table with these entries; what has none is taken out. Only a map that changes is copied. */
function replaceEntries(table: HostTable, next: ReadonlyMap<string, HostEntry | undefined>): HostTable {
  const [wildcards, hosts] = [new Map<string, HostEntry | undefined>(), new Map<string, HostEntry | undefined>()];
  for (const [pattern, entry] of next) {
    if (pattern.startsWith('*.')) wildcards.set(pattern.slice(2), entry);
    else hosts.set(pattern, entry);
  }
  const exact = withEntries(table.exact, hosts);
  const below = withEntries(table.below, wildcards);
  return exact === table.exact && below === table.below ? table : { exact, below, find: compileFind(exact, below) };
}

/** A copy of the map with these entries, without those that are undefined; the map itself where there are none. */
export function withEntries<T>(
  map: ReadonlyMap<string, T>,
  entries: ReadonlyMap<string, T | undefined>,
): ReadonlyMap<string, T> {
  if (entries.size === 0) return map;
  const copy = new Map(map);
  for (const [key, entry] of entries) {
    if (entry === undefined) copy.delete(key);
    else copy.set(key, entry);
  }
  return copy;
}

function sameElements<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((element, index) => element === b[index]);
}

function compileFind(exact: ReadonlyMap<string, HostEntry>, below: ReadonlyMap<string, HostEntry>): HostTable['find'] {
  const all = exact.get('*');
  return (host) => {
    const found = exact.get(host);
    if (found !== undefined || below.size === 0 || host.startsWith('[')) return found ?? all;
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      const wide = below.get(host.slice(dot + 1));
      if (wide !== undefined) return wide;
    }
    return all;
  };
}

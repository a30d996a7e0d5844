import type { DenialDressing } from '../phases/response/compile-denial.ts';
import type { AddressTest } from '../phases/restrictions/compile-addresses.ts';
import { widerPatterns } from '../policy/read-host.ts';
import { runAtOnce, type Steps } from '../std/steps.ts';
import type { CompiledPolicy, CompiledRule, DeniedRule } from './compile-policy.ts';
import { buildRouteIndex, type RouteIndex } from './route-index.ts';

/** All that stands over the requests of one attachment: a host pattern, or a name. */
export interface PolicyGroup {
  readonly nearest: readonly CompiledPolicy[];
  readonly covering: readonly CompiledPolicy[];
  /** The Allow rules of the nearest attachment (S6). */
  readonly rules: RouteIndex<CompiledRule>;
  /** The Denied rules of every covering policy. */
  readonly denied: RouteIndex<DeniedRule>;
  /** A refused policy that takes every request of the attachment, where there is one. */
  readonly refusedBy: string | undefined;
  /** The policy-level restrictions of every covering policy. */
  readonly addresses: readonly PolicyAddresses[];
  /** What paths every covering policy accepts. */
  readonly stripParameters: boolean;
  readonly allowEncoded: ReadonlySet<string>;
  /** How a request is answered that no rule decides. */
  readonly dress: DenialDressing | undefined;
}

export interface PolicyAddresses {
  readonly policy: string;
  readonly test: AddressTest;
  readonly dress: DenialDressing | undefined;
}

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
  readonly group: PolicyGroup;
}

/** A policy that takes the place of another one; undefined: there is none. */
export interface PolicyChange {
  readonly before: CompiledPolicy | undefined;
  readonly after: CompiledPolicy | undefined;
}

export const emptyHostTable: HostTable = { exact: new Map(), below: new Map(), find: () => undefined };

/**
 * The table with these enforced policies in the places of others: groups of which no policy changed are taken over, and patterns with the
 * same policies share one.
 * `isApart`: a wildcard restricts no host that another namespace governs (S10).
 */
export function* changeHostTable(
  table: HostTable,
  changes: readonly PolicyChange[],
  isApart: boolean,
): Steps<HostTable> {
  const nearest = yield* changeNearest(table, changes);
  if (nearest.size === 0) return table;
  const nearestOf = (pattern: string): readonly CompiledPolicy[] =>
    nearest.get(pattern) ?? entryOf(table, pattern)?.group.nearest ?? [];
  const next = new Map<string, HostEntry | undefined>();
  const groupOf = shareGroups();
  const patterns = new Set(nearest.keys());
  for (const pattern of nearest.keys()) {
    if (!pattern.startsWith('*')) continue;
    for (const covered of patternsBelow(table, pattern)) patterns.add(covered);
    yield;
  }
  for (const pattern of patterns) {
    const own = nearestOf(pattern);
    const isTheirs = (policy: CompiledPolicy): boolean => own.some(({ namespace }) => namespace === policy.namespace);
    const wider = widerPatterns(pattern)
      .flatMap(nearestOf)
      .filter((policy) => !isApart || isTheirs(policy));
    const covering = [...new Set([...own, ...wider])];
    const known = entryOf(table, pattern)?.group;
    const isSame = known !== undefined && sameElements(known.nearest, own) && sameElements(known.covering, covering);
    if (isSame) continue;
    next.set(pattern, own.length === 0 ? undefined : { pattern, group: yield* groupOf(own, covering) });
    yield;
  }
  return replaceEntries(table, next);
}

/** Makes a group of policies, or gives the one that it made of the same ones. */
export function shareGroups(): typeof buildGroup {
  const groups = new Map<string, PolicyGroup>();
  const numbers = new Map<CompiledPolicy, number>();
  const numberOf = (policy: CompiledPolicy): number => {
    const number = numbers.get(policy) ?? numbers.size;
    numbers.set(policy, number);
    return number;
  };
  return function* (nearest, covering) {
    const name = [nearest.length, ...covering.map(numberOf)].join(' ');
    const group = groups.get(name) ?? (yield* buildGroup(nearest, covering));
    groups.set(name, group);
    return group;
  };
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
    const staying = entryOf(table, pattern)?.group.nearest.filter((policy) => !gone.has(policy)) ?? [];
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

/** What stands over requests that `nearest` decides and `covering` restricts. */
export function createGroup(nearest: readonly CompiledPolicy[], covering: readonly CompiledPolicy[]): PolicyGroup {
  return runAtOnce(buildGroup(nearest, covering));
}

/** As `createGroup`, a few policies at a time: thousands may be attached to one host or route. */
function* buildGroup(nearest: readonly CompiledPolicy[], covering: readonly CompiledPolicy[]): Steps<PolicyGroup> {
  const settings = covering.flatMap(({ paths }) => paths ?? []);
  const [first, ...others] = settings.map(({ allowEncoded }) => allowEncoded);
  return {
    nearest,
    covering,
    rules: yield* buildRouteIndex(nearest.map(({ rules }) => rules)),
    denied: yield* buildRouteIndex(covering.map(({ denied }) => denied)),
    refusedBy: nearest.find(({ refusesAll }) => refusesAll)?.id,
    addresses: covering.flatMap(({ id, addresses, dress }) =>
      addresses === undefined ? [] : [{ policy: id, test: addresses, dress }],
    ),
    stripParameters: settings.length > 0 && settings.every(({ parameters }) => parameters === 'Strip'),
    allowEncoded: new Set((first ?? []).filter((escape) => others.every((list) => list.includes(escape)))),
    dress: nearest.toSorted((a, b) => (a.id < b.id ? -1 : 1)).find(({ dress }) => dress !== undefined)?.dress,
  };
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

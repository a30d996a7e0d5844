import type { DenialDressing } from '../phases/response/compile-denial.ts';
import type { AddressTest } from '../phases/restrictions/compile-addresses.ts';
import { widerPatterns } from '../policy/read-host.ts';
import type { CompiledPolicy, CompiledRule, DeniedRule } from './compile-policy.ts';
import { createRouteIndex, type RouteIndex } from './route-index.ts';

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
  readonly entries: ReadonlyMap<string, HostEntry>;
}

export interface HostEntry {
  readonly pattern: string;
  readonly group: PolicyGroup;
}

/** Builds the table; groups of which no policy changed are taken over from `before`, and patterns with the same policies share one. */
export function createHostTable(policies: readonly CompiledPolicy[], before: HostTable | undefined): HostTable {
  const byPattern = new Map<string, CompiledPolicy[]>();
  for (const policy of policies) {
    for (const pattern of policy.hosts) {
      const known = byPattern.get(pattern);
      if (known === undefined) byPattern.set(pattern, [policy]);
      else known.push(policy);
    }
  }
  const entries = new Map<string, HostEntry>();
  const numbers = new Map(policies.map((policy, index) => [policy, index]));
  const groups = new Map<string, PolicyGroup>();
  for (const [pattern, nearest] of byPattern) {
    const wider = widerPatterns(pattern).flatMap((wide) => byPattern.get(wide) ?? []);
    const covering = [...new Set([...nearest, ...wider])];
    const known = before?.entries.get(pattern);
    const isSame =
      known !== undefined && sameElements(known.group.nearest, nearest) && sameElements(known.group.covering, covering);
    const name = [nearest.length, ...covering.map((policy) => numbers.get(policy))].join(' ');
    const group = isSame ? known.group : (groups.get(name) ?? createGroup(nearest, covering));
    groups.set(name, group);
    entries.set(pattern, isSame ? known : { pattern, group });
  }
  return { entries, find: compileFind(entries) };
}

function sameElements<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((element, index) => element === b[index]);
}

/** What stands over requests that `nearest` decides and `covering` restricts. */
export function createGroup(nearest: readonly CompiledPolicy[], covering: readonly CompiledPolicy[]): PolicyGroup {
  const settings = covering.flatMap(({ paths }) => paths ?? []);
  const [first, ...others] = settings.map(({ allowEncoded }) => allowEncoded);
  return {
    nearest,
    covering,
    rules: createRouteIndex(nearest.flatMap(({ rules }) => rules)),
    denied: createRouteIndex(covering.flatMap(({ denied }) => denied)),
    refusedBy: nearest.find(({ refusesAll }) => refusesAll)?.id,
    addresses: covering.flatMap(({ id, addresses, dress }) =>
      addresses === undefined ? [] : [{ policy: id, test: addresses, dress }],
    ),
    stripParameters: settings.length > 0 && settings.every(({ parameters }) => parameters === 'Strip'),
    allowEncoded: new Set((first ?? []).filter((escape) => others.every((list) => list.includes(escape)))),
    dress: nearest.toSorted((a, b) => (a.id < b.id ? -1 : 1)).find(({ dress }) => dress !== undefined)?.dress,
  };
}

function compileFind(entries: ReadonlyMap<string, HostEntry>): HostTable['find'] {
  const exact = new Map<string, HostEntry>();
  const below = new Map<string, HostEntry>();
  for (const [pattern, entry] of entries) {
    if (pattern.startsWith('*.')) below.set(pattern.slice(2), entry);
    else exact.set(pattern, entry);
  }
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

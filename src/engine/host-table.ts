import { widerPatterns } from '../policy/read-host.ts';
import type { AddressTest } from '../phases/restrictions/compile-addresses.ts';
import type { CompiledPolicy, CompiledRule, DeniedRule } from './compile-policy.ts';
import { createRouteIndex, type RouteIndex } from './route-index.ts';

/** All that stands over the requests of one host pattern. */
export interface HostGroup {
  /** The Allow rules of the nearest attachment (S6). */
  readonly rules: RouteIndex<CompiledRule>;
  /** The Denied rules of every covering policy. */
  readonly denied: RouteIndex<DeniedRule>;
  /** A refused policy that takes every request of the host, where there is one. */
  readonly refusedBy: string | undefined;
  /** The policy-level restrictions of every covering policy. */
  readonly addresses: readonly { readonly policy: string; readonly test: AddressTest }[];
  /** What paths every covering policy accepts. */
  readonly stripParameters: boolean;
  readonly allowEncoded: ReadonlySet<string>;
}

export interface HostTable {
  /** The group of the nearest pattern that has policies: the exact host, the longest wildcard, then shorter ones, `*` (S5). */
  find(host: string): HostGroup | undefined;
  /** By pattern, with what each was made of, for reuse. */
  readonly groups: ReadonlyMap<string, BuiltGroup>;
}

export interface BuiltGroup {
  readonly nearest: readonly CompiledPolicy[];
  readonly covering: readonly CompiledPolicy[];
  readonly group: HostGroup;
}

/** Builds the table; groups of which no policy changed are taken over from `before`. */
export function createHostTable(policies: readonly CompiledPolicy[], before: HostTable | undefined): HostTable {
  const byPattern = new Map<string, CompiledPolicy[]>();
  for (const policy of policies) {
    for (const pattern of policy.hosts) {
      const known = byPattern.get(pattern);
      if (known === undefined) byPattern.set(pattern, [policy]);
      else known.push(policy);
    }
  }
  const groups = new Map<string, BuiltGroup>();
  for (const [pattern, nearest] of byPattern) {
    const wider = widerPatterns(pattern).flatMap((wide) => byPattern.get(wide) ?? []);
    groups.set(pattern, reuse(before?.groups.get(pattern), nearest, [...new Set([...nearest, ...wider])]));
  }
  return { groups, find: compileFind(groups) };
}

function reuse(
  known: BuiltGroup | undefined,
  nearest: readonly CompiledPolicy[],
  covering: readonly CompiledPolicy[],
): BuiltGroup {
  if (known !== undefined && sameElements(known.nearest, nearest) && sameElements(known.covering, covering))
    return known;
  return { nearest, covering, group: buildGroup(nearest, covering) };
}

function sameElements<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((element, index) => element === b[index]);
}

function buildGroup(nearest: readonly CompiledPolicy[], covering: readonly CompiledPolicy[]): HostGroup {
  const settings = covering.flatMap(({ paths }) => paths ?? []);
  const [first, ...others] = settings.map(({ allowEncoded }) => allowEncoded);
  return {
    rules: createRouteIndex(nearest.flatMap(({ rules }) => rules)),
    denied: createRouteIndex(covering.flatMap(({ denied }) => denied)),
    refusedBy: nearest.find(({ refusesAll }) => refusesAll)?.id,
    addresses: covering.flatMap(({ id, addresses }) =>
      addresses === undefined ? [] : [{ policy: id, test: addresses }],
    ),
    stripParameters: settings.length > 0 && settings.every(({ parameters }) => parameters === 'Strip'),
    allowEncoded: new Set((first ?? []).filter((escape) => others.every((list) => list.includes(escape)))),
  };
}

function compileFind(groups: ReadonlyMap<string, BuiltGroup>): HostTable['find'] {
  const exact = new Map<string, HostGroup>();
  const below = new Map<string, HostGroup>();
  for (const [pattern, { group }] of groups) {
    if (pattern.startsWith('*.')) below.set(pattern.slice(2), group);
    else exact.set(pattern, group);
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

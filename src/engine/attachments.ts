import type { Request } from '../core/request.ts';
import { widerPatterns } from '../policy/read-host.ts';
import type { Steps } from '../std/steps.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import {
  changeHostTable,
  createGroup,
  emptyHostTable,
  withEntries,
  type HostEntry,
  type HostTable,
  type PolicyChange,
  type PolicyGroup,
} from './host-table.ts';

/** Names a policy; only the proxy's configuration sets it, never a client (S5). */
export const policyExtension = 'portcullis.dev/policy';

/** Which policies stand over a request: by the name that the proxy gives, by its host. */
export interface Attachments {
  /** Undefined where none does: `no_policy`. */
  find(request: Request): PolicyGroup | undefined;
  /** What would stand over it if each policy in shadow mode that covers it were enforced, one at a time (S9). */
  shadows(request: Request): readonly Shadow[];
  readonly hosts: HostTable;
  /** Enforced policies that are attached by name, by that name. */
  readonly named: ReadonlyMap<string, CompiledPolicy>;
  readonly shadowTable: ShadowTable;
}

/** Policies in shadow mode. */
interface ShadowTable {
  readonly byName: ReadonlyMap<string, CompiledPolicy>;
  readonly byPattern: ReadonlyMap<string, readonly CompiledPolicy[]>;
}

export interface Shadow {
  /** The policy in shadow mode. */
  readonly policy: string;
  readonly group: PolicyGroup;
}

/** The attachments with these policies in the places of others. `isApart`: see `changeHostTable`. */
export function* changeAttachments(
  before: Attachments | undefined,
  changes: readonly PolicyChange[],
  isApart: boolean,
): Steps<Attachments> {
  const enforced = changes.map((change) => ofMode(change, 'Enforce')).filter(isChange);
  const shadowing = changes.map((change) => ofMode(change, 'Shadow')).filter(isChange);
  const hosts = yield* changeHostTable(before?.hosts ?? emptyHostTable, enforced, isApart);
  const named = changeNamed(before?.named ?? new Map(), enforced);
  const shadowTable = changeShadows(before?.shadowTable ?? { byName: new Map(), byPattern: new Map() }, shadowing);
  const combine = createCombiner();
  const find = (request: Request): PolicyGroup | undefined => {
    const host = hosts.find(request.host)?.group;
    const name = request.contextExtensions.get(policyExtension);
    if (name === undefined) return host;
    const policy = named.get(name);
    return policy && combine(policy, host, 'nearer');
  };
  return { hosts, named, shadowTable, find, shadows: compileShadows(shadowTable, hosts, find, combine) };
}

function ofMode({ before, after }: PolicyChange, mode: CompiledPolicy['mode']): PolicyChange {
  return { before: before?.mode === mode ? before : undefined, after: after?.mode === mode ? after : undefined };
}

function isChange({ before, after }: PolicyChange): boolean {
  return before !== undefined || after !== undefined;
}

function changeNamed(
  named: ReadonlyMap<string, CompiledPolicy>,
  changes: readonly PolicyChange[],
): ReadonlyMap<string, CompiledPolicy> {
  const next = new Map<string, CompiledPolicy | undefined>();
  for (const { before, after } of changes) {
    if (before?.attachment === 'Named') next.set(before.id, undefined);
    if (after?.attachment === 'Named') next.set(after.id, after);
  }
  return withEntries(named, next);
}

function changeShadows({ byName, byPattern }: ShadowTable, changes: readonly PolicyChange[]): ShadowTable {
  const next = new Map<string, readonly CompiledPolicy[]>();
  const listOf = (pattern: string): readonly CompiledPolicy[] => next.get(pattern) ?? byPattern.get(pattern) ?? [];
  for (const { before, after } of changes) {
    for (const pattern of before?.hosts ?? []) {
      next.set(
        pattern,
        listOf(pattern).filter((policy) => policy !== before),
      );
    }
    if (after !== undefined) for (const pattern of after.hosts) next.set(pattern, [...listOf(pattern), after]);
  }
  const lists = new Map([...next].map(([pattern, list]) => [pattern, list.length === 0 ? undefined : list] as const));
  return { byName: changeNamed(byName, changes), byPattern: withEntries(byPattern, lists) };
}

type Combine = (
  policy: CompiledPolicy,
  group: PolicyGroup | undefined,
  place: 'nearer' | 'beside' | 'farther',
) => PolicyGroup;

/** Puts a policy before, beside or behind those of a group. What was combined once is kept as long as both live. */
function createCombiner(): Combine {
  const known = new WeakMap<CompiledPolicy, Map<PolicyGroup | undefined, Map<string, PolicyGroup>>>();
  return (policy, group, place) => {
    const groups = known.get(policy) ?? new Map<PolicyGroup | undefined, Map<string, PolicyGroup>>();
    known.set(policy, groups);
    const places = groups.get(group) ?? new Map<string, PolicyGroup>();
    groups.set(group, places);
    const combined = places.get(place) ?? combineNow(policy, group, place);
    places.set(place, combined);
    return combined;
  };
}

function combineNow(
  policy: CompiledPolicy,
  group: PolicyGroup | undefined,
  place: 'nearer' | 'beside' | 'farther',
): PolicyGroup {
  const others = group?.nearest ?? [];
  const nearest = place === 'nearer' ? [policy] : place === 'beside' ? [...others, policy] : others;
  return createGroup(nearest, [policy, ...(group?.covering ?? [])]);
}

function compileShadows(
  { byName, byPattern }: ShadowTable,
  hosts: HostTable,
  find: Attachments['find'],
  combine: Combine,
): Attachments['shadows'] {
  if (byName.size === 0 && byPattern.size === 0) return () => [];
  return (request) => {
    const name = request.contextExtensions.get(policyExtension);
    const host = hosts.find(request.host);
    const patterns = [request.host, ...widerPatterns(request.host)];
    const found = new Map<string, Shadow>();
    const named = name === undefined ? undefined : byName.get(name);
    if (named !== undefined) found.set(named.id, { policy: named.id, group: combine(named, host?.group, 'nearer') });
    for (const [own, pattern] of patterns.entries()) {
      for (const policy of byPattern.get(pattern) ?? []) {
        if (found.has(policy.id)) continue;
        const group =
          name === undefined
            ? combine(policy, host?.group, placeBeside(own, patterns, host))
            : combine(policy, find(request), 'farther');
        found.set(policy.id, { policy: policy.id, group });
      }
    }
    return [...found.values()].sort((a, b) => (a.policy < b.policy ? -1 : 1));
  };
}

function placeBeside(
  own: number,
  patterns: readonly string[],
  host: HostEntry | undefined,
): 'nearer' | 'beside' | 'farther' {
  if (host === undefined) return 'nearer';
  const other = patterns.indexOf(host.pattern);
  return own < other ? 'nearer' : own === other ? 'beside' : 'farther';
}

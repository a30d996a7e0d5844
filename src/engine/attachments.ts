import type { Request } from '../core/request.ts';
import { widerPatterns } from '../policy/read-host.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { createGroup, createHostTable, type HostEntry, type HostTable, type PolicyGroup } from './host-table.ts';

/** Names a policy; only the proxy's configuration sets it, never a client (S5). */
export const policyExtension = 'portcullis.dev/policy';

/** Which policies stand over a request: by the name that the proxy gives, by its host. */
export interface Attachments {
  /** Undefined where none does: `no_policy`. */
  find(request: Request): PolicyGroup | undefined;
  /** What would stand over it if each policy in shadow mode that covers it were enforced, one at a time (S9). */
  shadows(request: Request): readonly Shadow[];
  readonly hosts: HostTable;
}

export interface Shadow {
  /** The policy in shadow mode. */
  readonly policy: string;
  readonly group: PolicyGroup;
}

export function createAttachments(policies: readonly CompiledPolicy[], before: Attachments | undefined): Attachments {
  const enforced = policies.filter(({ mode }) => mode === 'Enforce');
  const hosts = createHostTable(enforced, before?.hosts);
  const named = new Map(
    enforced.filter(({ attachment }) => attachment === 'Named').map((policy) => [policy.id, policy]),
  );
  const combine = createCombiner();
  const find = (request: Request): PolicyGroup | undefined => {
    const host = hosts.find(request.host)?.group;
    const name = request.contextExtensions.get(policyExtension);
    if (name === undefined) return host;
    const policy = named.get(name);
    return policy && combine(policy, host, 'nearer');
  };
  return { hosts, find, shadows: compileShadows(policies, hosts, find, combine) };
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
  policies: readonly CompiledPolicy[],
  hosts: HostTable,
  find: Attachments['find'],
  combine: Combine,
): Attachments['shadows'] {
  const shadows = policies.filter(({ mode }) => mode === 'Shadow');
  if (shadows.length === 0) return () => [];
  return (request) => {
    const name = request.contextExtensions.get(policyExtension);
    const host = hosts.find(request.host);
    const patterns = [request.host, ...widerPatterns(request.host)];
    return shadows.flatMap((policy): Shadow[] => {
      if (policy.attachment === 'Named') {
        return policy.id === name ? [{ policy: policy.id, group: combine(policy, host?.group, 'nearer') }] : [];
      }
      const own = patterns.findIndex((pattern) => policy.hosts.includes(pattern));
      if (own < 0) return [];
      if (name !== undefined) return [{ policy: policy.id, group: combine(policy, find(request), 'farther') }];
      return [{ policy: policy.id, group: combine(policy, host?.group, placeBeside(own, patterns, host)) }];
    });
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

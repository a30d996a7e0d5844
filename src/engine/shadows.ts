import type { Request } from '../core/request.ts';
import { widerPatterns } from '../policy/read-host.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import type { HostEntry, HostTable } from './host-table.ts';
import { createGroup, type PolicyGroup } from './policy-group.ts';
import { partOf, type PolicyPart } from './policy-part.ts';
import { policyExtension } from './policy-extension.ts';
import type { Reservations } from './reservations.ts';
import { keyOfRoute, wholeRoute, type BySection, type RouteTable } from './route-table.ts';
import { judgedAmong, maxShadowsOfPlace, type ShadowTable } from './shadow-table.ts';

export interface Shadow {
  /** The policy in shadow mode. */
  readonly policy: string;
  readonly group: PolicyGroup | undefined;
  /** Set where the policy would reserve the host for its route. */
  readonly reservedFor: readonly string[] | undefined;
}

/** What stands over a request by its route, before what does by its host. */
export type FindByRoute = (request: Request, host: PolicyGroup | undefined) => PolicyGroup | undefined;

/** What is in force beside the shadows. */
export interface InForce {
  readonly hosts: HostTable;
  readonly routes: RouteTable;
  readonly byRoute: FindByRoute;
  readonly find: (request: Request) => PolicyGroup | undefined;
  readonly reserved: (by: Reservations, request: Request) => readonly string[] | undefined;
  /** True where a wildcard restricts no host that another namespace governs (S10). */
  readonly isApart: boolean;
}

/** However many places a host has that a client may choose, so many are judged at one request, the nearest first. */
const maxShadowsOfCheck = 32;

/** What would stand over a request if each policy in shadow mode that covers it were enforced, one at a time (S9). */
export function compileShadows(table: ShadowTable, inForce: InForce): (request: Request) => readonly Shadow[] {
  const { byName, byPattern, byRoute, reservations } = table;
  if (byName.size + byPattern.size + byRoute.size === 0) return () => [];
  return (request) => {
    const { hosts, find } = inForce;
    const name = request.contextExtensions.get(policyExtension);
    const host = hosts.find(request.host);
    const found = new Map<string, Shadow>();
    const unnamed = once(() => inForce.byRoute(request, host?.group));
    const named = name === undefined ? unnamed : once(() => find(request));
    for (const [policy, place] of placed(table, inForce, request, host)) {
      if (found.size >= maxShadowsOfCheck) break;
      if (found.has(policy.id)) continue;
      const group = put(partOf(policy), place === 'nearer' ? unnamed() : named(), place);
      found.set(policy.id, { policy: policy.id, group, reservedFor: undefined });
    }
    const reservedFor = inForce.reserved(reservations, request);
    for (const policy of reservedFor?.slice(0, maxShadowsOfPlace) ?? [])
      found.set(policy, { policy, group: find(request), reservedFor });
    return [...found.values()].sort((a, b) => (a.policy < b.policy ? -1 : 1));
  };
}

type Place = 'nearer' | 'beside' | 'farther';

/** The policies that are judged at the request, from near to far, each with where it would stand among those in force. */
function* placed(
  { byName, byPattern, byRoute }: ShadowTable,
  { routes, isApart }: InForce,
  request: Request,
  host: HostEntry | undefined,
): Iterable<readonly [CompiledPolicy, Place]> {
  const { route } = request;
  const name = request.contextExtensions.get(policyExtension);
  const named = name === undefined ? undefined : byName.get(name);
  if (named !== undefined) yield [named, 'nearer'];
  const parts = route && routes.get(keyOfRoute(route));
  const shadowing = route && byRoute.get(keyOfRoute(route));
  const asked = route?.section ?? wholeRoute;
  const sections = route === undefined ? [] : [...new Set([asked, wholeRoute])];
  for (const section of sections) {
    const place = name === undefined ? placeAtRoute(section, asked, parts) : 'farther';
    for (const policy of judgedAt(shadowing, section)) yield [policy, place];
  }
  const isRouted = sections.some((section) => parts?.has(section) === true);
  const patterns = [request.host, ...widerPatterns(request.host)];
  for (const [own, pattern] of patterns.entries()) {
    const place = name === undefined && !isRouted ? placeBeside(own, patterns, host) : 'farther';
    const governing = isApart && host !== undefined && patterns.indexOf(host.pattern) < own ? host.part : undefined;
    for (const policy of judgedAt(byPattern, pattern))
      if (governing === undefined || governing.namespaces.has(policy.namespace)) yield [policy, place];
  }
}

function judgedAt(
  lists: ReadonlyMap<string, readonly CompiledPolicy[]> | undefined,
  place: string,
): readonly CompiledPolicy[] {
  const list = lists?.get(place);
  return list === undefined ? [] : judgedAmong(list);
}

/** The group as it would be with the policy at its place. */
function put(own: PolicyPart, group: PolicyGroup | undefined, place: Place): PolicyGroup {
  const others = group?.nearestParts ?? [];
  const nearest = place === 'nearer' ? [own] : place === 'beside' ? [...others, own] : others;
  return createGroup(nearest, [own, ...(group?.parts ?? [])]);
}

function placeAtRoute(own: string, asked: string, parts: BySection<PolicyPart> | undefined): Place {
  const hasSection = asked !== wholeRoute && parts?.has(asked) === true;
  if (own !== wholeRoute) return hasSection ? 'beside' : 'nearer';
  return hasSection ? 'farther' : parts?.has(wholeRoute) === true ? 'beside' : 'nearer';
}

function placeBeside(own: number, patterns: readonly string[], host: HostEntry | undefined): Place {
  if (host === undefined) return 'nearer';
  const other = patterns.indexOf(host.pattern);
  return own < other ? 'nearer' : own === other ? 'beside' : 'farther';
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

import { areGranted, grantedTo, type GrantSetting } from '../policy/check-hosts.ts';
import { widerPatterns } from '../policy/read-host.ts';
import type { RouteSpec } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { withEntries, type HostEntry } from './host-table.ts';

/** A hostname of a route to which a policy is attached: a check for it has to say which route the proxy chose (S7). */
export interface Reservation {
  readonly pattern: string;
  readonly namespace: string;
  /** `namespace/name` of the policies that are attached to the route, in their order. */
  readonly policies: readonly string[];
}

export interface Reservations {
  readonly byRoute: ReadonlyMap<string, readonly Reservation[]>;
  readonly byPattern: ReadonlyMap<string, readonly Reservation[]>;
}

export const noReservations: Reservations = { byRoute: new Map(), byPattern: new Map() };

/**
 * The reservations with those of these routes made anew. Where the operator grants hosts, a route reserves what its namespace is granted;
 * without grants whose a host is shows where a request comes (`reservedFor`).
 */
export function* changeReservations(
  { byRoute, byPattern }: Reservations,
  routes: Iterable<string>,
  attachedTo: (route: string) => Iterable<CompiledPolicy>,
  routeOf: (route: string) => RouteSpec | undefined,
  grants: GrantSetting,
): Steps<Reservations> {
  const nextRoutes = new Map<string, readonly Reservation[] | undefined>();
  const nextPatterns = new Map<string, Set<Reservation>>();
  const at = (pattern: string): Set<Reservation> => {
    const list = nextPatterns.get(pattern) ?? new Set(byPattern.get(pattern));
    nextPatterns.set(pattern, list);
    return list;
  };
  for (const key of new Set(routes)) {
    const known = byRoute.get(key) ?? [];
    const reserved = reservationsOf(attachedTo(key), routeOf(key), grants);
    yield;
    if (known.length + reserved.length === 0) continue;
    for (const one of known) at(one.pattern).delete(one);
    for (const one of reserved) at(one.pattern).add(one);
    nextRoutes.set(key, reserved.length === 0 ? undefined : reserved);
  }
  const patterns = new Map(
    [...nextPatterns].map(([pattern, list]) => [pattern, list.size === 0 ? undefined : sorted(list)] as const),
  );
  return { byRoute: withEntries(byRoute, nextRoutes), byPattern: withEntries(byPattern, patterns) };
}

function reservationsOf(
  policies: Iterable<CompiledPolicy>,
  route: RouteSpec | undefined,
  grants: GrantSetting,
): readonly Reservation[] {
  if (route === undefined) return [];
  const { namespace } = route;
  const ids = [...new Set(Array.from(policies, ({ id }) => id))].sort();
  if (ids.length === 0) return [];
  const isTheirs = (pattern: string): boolean => !areGranted(grants) || grantedTo(grants, pattern).includes(namespace);
  return route.hostnames.filter(isTheirs).map((pattern) => ({ pattern, namespace, policies: ids }));
}

function sorted(list: Iterable<Reservation>): readonly Reservation[] {
  return [...list].sort((a, b) => (firstOf(a) < firstOf(b) ? -1 : 1));
}

function firstOf({ policies }: Reservation): string {
  return policies[0] ?? '';
}

/** What decides a check that does not say which route the proxy chose. */
export interface UnroutedCheck {
  readonly host: string;
  /** `namespace/name` of the policy that the proxy names; undefined: none. */
  readonly named: string | undefined;
  /** The host policies of the host, which are of its owner (S10). */
  readonly governing: HostEntry | undefined;
}

/**
 * The policies for whose route the host is reserved; undefined where it is not. A route reserves a host for its namespace alone, which takes
 * none from others by it:
 * - what the policies of the namespace would decide is reserved for its routes;
 * - with the operator's grants so is a host of which the most specific grant is the namespace's, but where a policy nearer than the
 *   route's wildcard governs;
 * - without, so is a host that no policy governs, but for checks that name a policy of another namespace.
 */
export function reservedFor(
  { byPattern }: Reservations,
  check: UnroutedCheck,
  grants: GrantSetting,
): readonly string[] | undefined {
  if (byPattern.size === 0) return undefined;
  const { host, governing } = check;
  let isBehind = false;
  for (const pattern of [host, ...widerPatterns(host)]) {
    for (const { namespace, policies } of byPattern.get(pattern) ?? [])
      if (isReserved(namespace, check, isBehind, grants)) return policies;
    if (governing?.pattern === pattern) isBehind = true;
  }
  return undefined;
}

/** Whether the host is the namespace's to keep for a route of it. `isBehind`: a policy governs nearer than the pattern of the route. */
export function isReserved(
  namespace: string,
  { host, named, governing }: UnroutedCheck,
  isBehind: boolean,
  grants: GrantSetting,
): boolean {
  const governs = governing?.group.nearest.some((one) => one.namespace === namespace) === true;
  const isNamed = named?.startsWith(`${namespace}/`) === true;
  if (areGranted(grants)) {
    if (!governs && isBehind) return false;
    return grantedTo(grants, host).includes(namespace) || (named === undefined ? governs : isNamed);
  }
  return governs || (governing === undefined && (named === undefined || isNamed));
}

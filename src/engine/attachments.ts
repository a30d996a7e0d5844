import type { Request } from '../core/request.ts';
import type { GrantSetting } from '../policy/check-hosts.ts';
import { widerPatterns } from '../policy/read-host.ts';
import type { RouteSpec } from '../policy/spec.ts';
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
import { changeReservations, noReservations, reservedFor, type Reservations } from './reservations.ts';
import {
  changeAttached,
  changeRouteTable,
  groupOfRoute,
  keyOfRoute,
  withSections,
  wholeRoute,
  type BySection,
  type RouteTable,
} from './route-table.ts';

/** Names a policy; only the proxy's configuration sets it, never a client (S5). */
export const policyExtension = 'portcullis.dev/policy';

/** Which policies stand over a request: by the name that the proxy gives, by the route that it chose, by its host. */
export interface Attachments {
  /** Undefined where none does: `no_policy`. */
  find(request: Request): PolicyGroup | undefined;
  /** The policies for whose route the host of the request is reserved, where the proxy does not say which route it chose (S7). */
  reservedFor(request: Request): readonly string[] | undefined;
  /** What would stand over it if each policy in shadow mode that covers it were enforced, one at a time (S9). */
  shadows(request: Request): readonly Shadow[];
  readonly hosts: HostTable;
  /** Enforced policies that are attached by name, by that name. */
  readonly named: ReadonlyMap<string, CompiledPolicy>;
  readonly routes: RouteTable;
  readonly reservations: Reservations;
  readonly shadowTable: ShadowTable;
}

/** Policies in shadow mode. */
interface ShadowTable {
  readonly byName: ReadonlyMap<string, CompiledPolicy>;
  readonly byPattern: ReadonlyMap<string, readonly CompiledPolicy[]>;
  readonly byRoute: ReadonlyMap<string, BySection<readonly CompiledPolicy[]>>;
  readonly reservations: Reservations;
}

export interface Shadow {
  /** The policy in shadow mode. */
  readonly policy: string;
  readonly group: PolicyGroup | undefined;
  /** Set where the policy would reserve the host for its route. */
  readonly reservedFor: readonly string[] | undefined;
}

export interface AttachmentChange {
  readonly policies: readonly PolicyChange[];
  /** Keys of routes that are new, others or gone. */
  readonly routes: ReadonlySet<string>;
  readonly routeOf: (key: string) => RouteSpec | undefined;
}

const noShadows: ShadowTable = {
  byName: new Map(),
  byPattern: new Map(),
  byRoute: new Map(),
  reservations: noReservations,
};

/** The attachments with these policies in the places of others, and with routes as they are now. */
export function* changeAttachments(
  before: Attachments | undefined,
  change: AttachmentChange,
  grants: GrantSetting,
): Steps<Attachments> {
  const enforced = change.policies.map((one) => ofMode(one, 'Enforce')).filter(isChange);
  const shadowing = change.policies.map((one) => ofMode(one, 'Shadow')).filter(isChange);
  // Without grants a wildcard restricts no host that another namespace governs (S10).
  const hosts = yield* changeHostTable(before?.hosts ?? emptyHostTable, enforced, grants === undefined);
  const named = changeNamed(before?.named ?? new Map(), enforced);
  const routes = yield* changeRouteTable(before?.routes ?? new Map(), enforced);
  const reserve: Reserve = (known, changes, attachedTo) =>
    changeReservations(known, touchedRoutes(change.routes, changes), attachedTo, change.routeOf, grants);
  const reservations = yield* reserve(before?.reservations ?? noReservations, enforced, (route) =>
    Array.from(routes.get(route)?.values() ?? [], ({ nearest }) => nearest).flat(),
  );
  const shadowTable = yield* changeShadows(before?.shadowTable ?? noShadows, shadowing, reserve);
  const combine = createCombiner();
  const byRoute = compileFindByRoute(routes, combine);
  const find = (request: Request): PolicyGroup | undefined => {
    const covering = byRoute(request, hosts.find(request.host)?.group);
    const name = request.contextExtensions.get(policyExtension);
    if (name === undefined) return covering;
    const policy = named.get(name);
    return policy && combine(policy, covering, 'nearer');
  };
  const reserved = (by: Reservations, { route, host, contextExtensions }: Request): readonly string[] | undefined => {
    if (route !== undefined) return undefined;
    const named = contextExtensions.get(policyExtension);
    return reservedFor(by, { host, named, governing: hosts.find(host) }, grants);
  };
  return {
    hosts,
    named,
    routes,
    reservations,
    shadowTable,
    find,
    reservedFor: (request) => reserved(reservations, request),
    shadows: compileShadows(shadowTable, { hosts, routes, byRoute, find, reserved }, combine),
  };
}

type AttachedTo = (route: string) => readonly CompiledPolicy[];
type Reserve = (known: Reservations, changes: readonly PolicyChange[], attachedTo: AttachedTo) => Steps<Reservations>;
type FindByRoute = (request: Request, host: PolicyGroup | undefined) => PolicyGroup | undefined;

function* touchedRoutes(changed: ReadonlySet<string>, changes: readonly PolicyChange[]): Iterable<string> {
  yield* changed;
  for (const { before, after } of changes)
    for (const { route } of [...(before?.targets ?? []), ...(after?.targets ?? [])]) yield route;
}

/** What stands over a request by its route, before what does by its host. */
function compileFindByRoute(routes: RouteTable, combine: Combine): FindByRoute {
  const behind = (near: PolicyGroup, far: PolicyGroup): PolicyGroup => combine(near, far, 'nearer');
  return ({ route }, host) => {
    const near = route && groupOfRoute(routes.get(keyOfRoute(route)), route, behind);
    return near === undefined ? host : combine(near, host, 'nearer');
  };
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

function* changeShadows(
  { byName, byPattern, byRoute, reservations }: ShadowTable,
  changes: readonly PolicyChange[],
  reserve: Reserve,
): Steps<ShadowTable> {
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
  const attached = yield* changeAttached(changes, (route, section) => byRoute.get(route)?.get(section));
  const nextRoutes = [...attached].map(([route, sections]) => {
    const left = [...sections].map(([section, list]) => [section, list.length === 0 ? undefined : list] as const);
    return [route, withSections(byRoute.get(route), new Map(left))] as const;
  });
  const routes = withEntries(byRoute, new Map(nextRoutes));
  return {
    byName: changeNamed(byName, changes),
    byPattern: withEntries(byPattern, lists),
    byRoute: routes,
    reservations: yield* reserve(reservations, changes, (route) => [...(routes.get(route)?.values() ?? [])].flat()),
  };
}

/** A policy, or all of a group. */
type Joining = CompiledPolicy | PolicyGroup;
type Place = 'nearer' | 'beside' | 'farther';
type Combine = (joining: Joining, group: PolicyGroup | undefined, place: Place) => PolicyGroup;

/** Puts policies before, beside or behind those of a group. What was combined once is kept as long as the attachments are. */
function createCombiner(): Combine {
  const known = new WeakMap<Joining, Map<PolicyGroup | undefined, Map<string, PolicyGroup>>>();
  return (joining, group, place) => {
    const groups = known.get(joining) ?? new Map<PolicyGroup | undefined, Map<string, PolicyGroup>>();
    known.set(joining, groups);
    const places = groups.get(group) ?? new Map<string, PolicyGroup>();
    groups.set(group, places);
    const combined = places.get(place) ?? combineNow(joining, group, place);
    places.set(place, combined);
    return combined;
  };
}

function combineNow(joining: Joining, group: PolicyGroup | undefined, place: Place): PolicyGroup {
  const own = 'nearest' in joining ? joining : { nearest: [joining], covering: [joining] };
  if (group === undefined && 'nearest' in joining) return joining;
  const others = group?.nearest ?? [];
  const nearest = place === 'nearer' ? own.nearest : place === 'beside' ? [...others, ...own.nearest] : others;
  return createGroup(nearest, [...new Set([...own.covering, ...(group?.covering ?? [])])]);
}

/** What is in force beside the shadows. */
interface InForce {
  readonly hosts: HostTable;
  readonly routes: RouteTable;
  readonly byRoute: FindByRoute;
  readonly find: Attachments['find'];
  readonly reserved: (by: Reservations, request: Request) => readonly string[] | undefined;
}

function compileShadows(
  { byName, byPattern, byRoute, reservations }: ShadowTable,
  inForce: InForce,
  combine: Combine,
): Attachments['shadows'] {
  if (byName.size + byPattern.size + byRoute.size === 0) return () => [];
  return (request) => {
    const { hosts, routes, find } = inForce;
    const name = request.contextExtensions.get(policyExtension);
    const host = hosts.find(request.host);
    const found = new Map<string, Shadow>();
    const add = (policy: CompiledPolicy, place: Place): void => {
      const covering = name === undefined || place === 'nearer' ? inForce.byRoute(request, host?.group) : find(request);
      const group = combine(policy, covering, place);
      if (!found.has(policy.id)) found.set(policy.id, { policy: policy.id, group, reservedFor: undefined });
    };
    const named = name === undefined ? undefined : byName.get(name);
    if (named !== undefined) add(named, 'nearer');
    const { route } = request;
    const groups = route && routes.get(keyOfRoute(route));
    const shadowing = route && byRoute.get(keyOfRoute(route));
    const asked = route?.section ?? wholeRoute;
    const sections = route === undefined ? [] : [...new Set([asked, wholeRoute])];
    for (const section of sections) {
      for (const policy of shadowing?.get(section) ?? [])
        add(policy, name === undefined ? placeAtRoute(section, asked, groups) : 'farther');
    }
    const isRouted = sections.some((section) => groups?.has(section) === true);
    const patterns = [request.host, ...widerPatterns(request.host)];
    for (const [own, pattern] of patterns.entries()) {
      for (const policy of byPattern.get(pattern) ?? [])
        add(policy, name === undefined && !isRouted ? placeBeside(own, patterns, host) : 'farther');
    }
    const reservedFor = inForce.reserved(reservations, request);
    for (const policy of reservedFor ?? []) found.set(policy, { policy, group: find(request), reservedFor });
    return [...found.values()].sort((a, b) => (a.policy < b.policy ? -1 : 1));
  };
}

function placeAtRoute(own: string, asked: string, groups: BySection<PolicyGroup> | undefined): Place {
  const hasSection = asked !== wholeRoute && groups?.has(asked) === true;
  if (own !== wholeRoute) return hasSection ? 'beside' : 'nearer';
  return hasSection ? 'farther' : groups?.has(wholeRoute) === true ? 'beside' : 'nearer';
}

function placeBeside(own: number, patterns: readonly string[], host: HostEntry | undefined): Place {
  if (host === undefined) return 'nearer';
  const other = patterns.indexOf(host.pattern);
  return own < other ? 'nearer' : own === other ? 'beside' : 'farther';
}

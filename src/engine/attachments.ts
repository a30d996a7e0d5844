import type { Request } from '../core/request.ts';
import type { GrantSetting } from '../policy/check-hosts.ts';
import type { RouteSpec } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { changeHostTable, emptyHostTable, type HostTable, type PolicyChange } from './host-table.ts';
import { changeNamed } from './named-policies.ts';
import { policyExtension } from './policy-extension.ts';
import { createGroup, type PolicyGroup } from './policy-group.ts';
import { partOf, type PolicyPart } from './policy-part.ts';
import { changeReservations, noReservations, reservedFor, type Reservations } from './reservations.ts';
import { changeRouteTable, keyOfRoute, partsOfRoute, type RouteTable } from './route-table.ts';
import { changeShadows, noShadows, type Reserve, type ShadowTable } from './shadow-table.ts';
import { compileShadows, type FindByRoute, type Shadow } from './shadows.ts';

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

export interface AttachmentChange {
  readonly policies: readonly PolicyChange[];
  /** Keys of routes that are new, others or gone. */
  readonly routes: ReadonlySet<string>;
  readonly routeOf: (key: string) => RouteSpec | undefined;
}

/** The attachments with these policies in the places of others, and with routes as they are now. */
export function* changeAttachments(
  before: Attachments | undefined,
  change: AttachmentChange,
  grants: GrantSetting,
): Steps<Attachments> {
  const enforced = change.policies.map((one) => ofMode(one, 'Enforce')).filter(isChange);
  const shadowing = change.policies.map((one) => ofMode(one, 'Shadow')).filter(isChange);
  // Without grants a wildcard restricts no host that another namespace governs (S10).
  const isApart = grants === undefined;
  const hosts = yield* changeHostTable(before?.hosts ?? emptyHostTable, enforced, isApart);
  const named = yield* changeNamed(before?.named ?? new Map(), enforced);
  const routes = yield* changeRouteTable(before?.routes ?? new Map(), enforced);
  const reserve: Reserve = (known, changes, attachedTo) =>
    changeReservations(known, touchedRoutes(change.routes, changes), attachedTo, change.routeOf, grants);
  const reservations = yield* reserve(before?.reservations ?? noReservations, enforced, (route) =>
    Array.from(routes.get(route)?.values() ?? [], ({ policies }) => policies).flat(),
  );
  const shadowTable = yield* changeShadows(before?.shadowTable ?? noShadows, shadowing, reserve);
  const byRoute: FindByRoute = ({ route }, host) =>
    route === undefined ? host : putBefore(partsOfRoute(routes.get(keyOfRoute(route)), route), host);
  const find = (request: Request): PolicyGroup | undefined => {
    const covering = byRoute(request, hosts.find(request.host)?.group);
    const name = request.contextExtensions.get(policyExtension);
    if (name === undefined) return covering;
    const policy = named.get(name);
    return policy && putBefore([partOf(policy)], covering);
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
    shadows: compileShadows(shadowTable, { hosts, routes, byRoute, find, reserved, isApart }),
  };
}

function* touchedRoutes(changed: ReadonlySet<string>, changes: readonly PolicyChange[]): Iterable<string> {
  yield* changed;
  for (const { before, after } of changes)
    for (const { route } of [...(before?.targets ?? []), ...(after?.targets ?? [])]) yield route;
}

/** What stands over a request that is near before what covers it; the nearest decides. */
function putBefore(near: readonly PolicyPart[], covering: PolicyGroup | undefined): PolicyGroup | undefined {
  const [nearest] = near;
  return nearest === undefined ? covering : createGroup([nearest], [...near, ...(covering?.parts ?? [])]);
}

function ofMode({ before, after }: PolicyChange, mode: CompiledPolicy['mode']): PolicyChange {
  return { before: before?.mode === mode ? before : undefined, after: after?.mode === mode ? after : undefined };
}

function isChange({ before, after }: PolicyChange): boolean {
  return before !== undefined || after !== undefined;
}

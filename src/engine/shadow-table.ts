import { compileOnce } from '../std/shared-values.ts';
import type { Steps } from '../std/steps.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { withEntries, type PolicyChange } from './host-table.ts';
import { changeNamed } from './named-policies.ts';
import { partOf } from './policy-part.ts';
import { noReservations, type Reservations } from './reservations.ts';
import { changeAttached, withSections, type BySection } from './route-table.ts';

/** Policies in shadow mode. */
export interface ShadowTable {
  readonly byName: ReadonlyMap<string, CompiledPolicy>;
  readonly byPattern: ReadonlyMap<string, readonly CompiledPolicy[]>;
  readonly byRoute: ReadonlyMap<string, BySection<readonly CompiledPolicy[]>>;
  readonly reservations: Reservations;
  /** By the keys of policies: the places where each is not judged, because more stand there than are. */
  readonly unjudged: ReadonlyMap<string, readonly string[]>;
}

export const noShadows: ShadowTable = {
  byName: new Map(),
  byPattern: new Map(),
  byRoute: new Map(),
  reservations: noReservations,
  unjudged: new Map(),
};

/** A policy in shadow mode costs each request that it covers a decision: of one place, a host pattern or a rule of a route, so many are judged. */
export const maxShadowsOfPlace = 8;

/** Those of a place that are judged: of each namespace the first by name, then of each the second, so that none crowds out another. */
export const judgedAmong = compileOnce((list: readonly CompiledPolicy[]): readonly CompiledPolicy[] => {
  if (list.length <= maxShadowsOfPlace) return list;
  const byNamespace = Map.groupBy(
    list.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    ({ namespace }) => namespace,
  );
  const turns = Array.from({ length: maxShadowsOfPlace }, (_, turn) =>
    [...byNamespace.values()].flatMap((policies) => policies[turn] ?? []),
  );
  return turns.flat().slice(0, maxShadowsOfPlace);
});

export type AttachedTo = (route: string) => readonly CompiledPolicy[];
export type Reserve = (
  known: Reservations,
  changes: readonly PolicyChange[],
  attachedTo: AttachedTo,
) => Steps<Reservations>;

/** The table with these policies in the places of others. */
export function* changeShadows(
  { byName, byPattern, byRoute, reservations, unjudged }: ShadowTable,
  changes: readonly PolicyChange[],
  reserve: Reserve,
): Steps<ShadowTable> {
  const places: PlaceChange[] = [];
  const lists = new Map<string, readonly CompiledPolicy[] | undefined>();
  for (const [pattern, list] of yield* changePatterns(byPattern, changes)) {
    places.push({ place: pattern, before: byPattern.get(pattern) ?? [], after: list });
    lists.set(pattern, list.length === 0 ? undefined : list);
  }
  const nextRoutes = new Map<string, BySection<readonly CompiledPolicy[]> | undefined>();
  const attached = yield* changeAttached(changes, (route, section) => byRoute.get(route)?.get(section));
  for (const [route, sections] of attached) {
    const left = new Map<string, readonly CompiledPolicy[] | undefined>();
    for (const [section, list] of sections) {
      const place = section === '' ? route : `${route}, rule ${section}`;
      places.push({ place, before: byRoute.get(route)?.get(section) ?? [], after: list });
      left.set(section, list.length === 0 ? undefined : list);
    }
    nextRoutes.set(route, withSections(byRoute.get(route), left));
  }
  const routes = withEntries(byRoute, nextRoutes);
  return {
    byName: yield* changeNamed(byName, changes),
    byPattern: withEntries(byPattern, lists),
    byRoute: routes,
    reservations: yield* reserve(reservations, changes, (route) => [...(routes.get(route)?.values() ?? [])].flat()),
    unjudged: yield* changeUnjudged(unjudged, places),
  };
}

/** The lists of the patterns that the changes touch. */
function* changePatterns(
  byPattern: ShadowTable['byPattern'],
  changes: readonly PolicyChange[],
): Steps<ReadonlyMap<string, readonly CompiledPolicy[]>> {
  const gone = new Set(changes.map(({ before }) => before));
  const next = new Map<string, CompiledPolicy[]>();
  const touch = (pattern: string): CompiledPolicy[] => {
    const list = next.get(pattern) ?? byPattern.get(pattern)?.filter((policy) => !gone.has(policy)) ?? [];
    next.set(pattern, list);
    return list;
  };
  for (const { before, after } of changes) {
    for (const pattern of before?.hosts ?? []) touch(pattern);
    if (after !== undefined) for (const pattern of after.hosts) touch(pattern).push(after);
    yield;
  }
  return next;
}

/** What became of the policies of a place. */
interface PlaceChange {
  readonly place: string;
  readonly before: readonly CompiledPolicy[];
  readonly after: readonly CompiledPolicy[];
}

function* changeUnjudged(
  unjudged: ShadowTable['unjudged'],
  changes: readonly PlaceChange[],
): Steps<ShadowTable['unjudged']> {
  const next = new Map<string, readonly string[] | undefined>();
  const placesOf = (key: string): readonly string[] => (next.has(key) ? next.get(key) : unjudged.get(key)) ?? [];
  for (const { place, before, after } of changes) {
    const was = keysBeyond(before);
    const is = keysBeyond(after);
    for (const key of was) {
      if (is.has(key)) continue;
      const left = placesOf(key).filter((one) => one !== place);
      next.set(key, left.length === 0 ? undefined : left);
    }
    for (const key of is) if (!was.has(key)) next.set(key, [...placesOf(key), place].sort());
    // Here, so that no request has to wait for it.
    for (const policy of judgedAmong(after)) partOf(policy);
    yield;
  }
  return withEntries(unjudged, next);
}

function keysBeyond(list: readonly CompiledPolicy[]): ReadonlySet<string> {
  if (list.length <= maxShadowsOfPlace) return new Set();
  const judged = new Set(judgedAmong(list));
  return new Set(list.flatMap((policy) => (judged.has(policy) ? [] : [`AccessPolicy ${policy.id}`])));
}

/** The keys of policies that are not judged at other places than before. */
export function* changedPlaces(
  before: ShadowTable['unjudged'] = new Map(),
  now: ShadowTable['unjudged'],
): Iterable<string> {
  if (before === now) return;
  for (const [key, places] of now) if (before.get(key) !== places) yield key;
  for (const key of before.keys()) if (!now.has(key)) yield key;
}

import type { RequestRoute } from '../core/request.ts';
import { specKey } from '../policy/spec-name.ts';
import type { Steps } from '../std/steps.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { withEntries, type PolicyChange } from './host-table.ts';
import { shareParts, type PolicyPart } from './policy-part.ts';

/** What is attached to routes, by the key of the route. */
export type RouteTable = ReadonlyMap<string, BySection<PolicyPart>>;

/**
 * Something of a route by the names of its rules; empty for the whole route. Of each what is attached to it alone: what the whole route has
 * covers its rules too and is put behind it where a request comes (`partsOfRoute`), or a route would cost its rules times its policies.
 */
export type BySection<T> = ReadonlyMap<string, T>;

export const wholeRoute = '';

/** The table with these policies in the places of others; entries that do not change are taken over. */
export function* changeRouteTable(table: RouteTable, changes: readonly PolicyChange[]): Steps<RouteTable> {
  const next = new Map<string, BySection<PolicyPart> | undefined>();
  const partFrom = shareParts();
  const attached = yield* changeAttached(changes, (route, section) => table.get(route)?.get(section)?.policies);
  for (const [route, sections] of attached) {
    const parts = new Map<string, PolicyPart | undefined>();
    for (const [section, policies] of sections) {
      parts.set(section, policies.length === 0 ? undefined : yield* partFrom(policies));
      yield;
    }
    next.set(route, withSections(table.get(route), parts));
  }
  return withEntries(table, next);
}

/** What is attached, after a change, to the rules of routes that it touches: by route and rule, each list by name. */
export function* changeAttached(
  changes: readonly PolicyChange[],
  attachedTo: (route: string, section: string) => readonly CompiledPolicy[] | undefined,
): Steps<ReadonlyMap<string, BySection<readonly CompiledPolicy[]>>> {
  const next = new Map<string, Map<string, CompiledPolicy[]>>();
  const gone = new Set(changes.map(({ before }) => before));
  const touch = (route: string, section: string): CompiledPolicy[] => {
    const sections = next.get(route) ?? new Map<string, CompiledPolicy[]>();
    next.set(route, sections);
    const known = sections.get(section) ?? attachedTo(route, section)?.filter((policy) => !gone.has(policy)) ?? [];
    sections.set(section, known);
    return known;
  };
  for (const { before, after } of changes) {
    for (const { route, section } of before?.targets ?? []) touch(route, section);
    if (after !== undefined) for (const { route, section } of after.targets) touch(route, section).push(after);
    yield;
  }
  for (const sections of next.values()) {
    for (const policies of sections.values()) {
      policies.sort((a, b) => (a.id < b.id ? -1 : 1));
      yield;
    }
  }
  return next;
}

/** The route with these of its rules, without those that have nothing; undefined where nothing is left. */
export function withSections<T>(
  known: BySection<T> = new Map(),
  sections: ReadonlyMap<string, T | undefined>,
): BySection<T> | undefined {
  const next = withEntries(known, sections);
  return next.size === 0 ? undefined : next;
}

/** What is attached to the rule that the proxy chose, and behind it what is to the whole route. */
export function partsOfRoute(
  parts: BySection<PolicyPart> | undefined,
  { section }: RequestRoute,
): readonly PolicyPart[] {
  const sections = section === wholeRoute ? [wholeRoute] : [section, wholeRoute];
  return parts === undefined ? [] : sections.flatMap((one) => parts.get(one) ?? []);
}

export function keyOfRoute({ kind, namespace, name }: RequestRoute): string {
  return specKey({ kind, namespace, name });
}

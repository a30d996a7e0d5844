import type { RequestRoute } from '../core/request.ts';
import { specKey } from '../policy/spec-name.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { shareGroups, withEntries, type PolicyChange, type PolicyGroup } from './host-table.ts';

/** What stands over the requests of routes, by the key of the route. */
export type RouteTable = ReadonlyMap<string, RouteEntry>;

export interface RouteEntry {
  readonly attached: readonly Attached[];
  /** Over the whole route; undefined where only rules of it have policies. */
  readonly whole: PolicyGroup | undefined;
  /** Over one rule, which is nearer: what the whole route has covers it too. */
  readonly sections: ReadonlyMap<string, PolicyGroup>;
}

export interface Attached {
  readonly policy: CompiledPolicy;
  /** Empty for the whole route. */
  readonly section: string;
}

/** The table with these policies in the places of others; entries that do not change are taken over. */
export function changeRouteTable(table: RouteTable, changes: readonly PolicyChange[]): RouteTable {
  const next = new Map<string, RouteEntry | undefined>();
  const share = shareGroups();
  for (const [route, attached] of changeAttached(changes, (key) => table.get(key)?.attached ?? []))
    next.set(route, attached.length === 0 ? undefined : toEntry(attached, share));
  return withEntries(table, next);
}

/** What is attached to the routes that a change touches, after it. */
export function changeAttached(
  changes: readonly PolicyChange[],
  attachedTo: (route: string) => readonly Attached[],
): ReadonlyMap<string, readonly Attached[]> {
  const next = new Map<string, Attached[]>();
  const gone = new Set(changes.map(({ before }) => before));
  const touch = (route: string): Attached[] => {
    const known = next.get(route) ?? attachedTo(route).filter(({ policy }) => !gone.has(policy));
    next.set(route, known);
    return known;
  };
  for (const { before, after } of changes) {
    for (const { route } of before?.targets ?? []) touch(route);
    if (after !== undefined)
      for (const { route, section } of after.targets) touch(route).push({ policy: after, section });
  }
  for (const attached of next.values()) attached.sort((a, b) => (a.policy.id < b.policy.id ? -1 : 1));
  return next;
}

function toEntry(attached: readonly Attached[], group: ReturnType<typeof shareGroups>): RouteEntry {
  const of = (section: string): readonly CompiledPolicy[] =>
    attached.filter((one) => one.section === section).map(({ policy }) => policy);
  const whole = of('');
  const sections = new Set(attached.flatMap(({ section }) => (section === '' ? [] : [section])));
  return {
    attached,
    whole: whole.length === 0 ? undefined : group(whole, whole),
    sections: new Map(
      [...sections].map((section) => [section, group(of(section), [...new Set([...of(section), ...whole])])]),
    ),
  };
}

/** The nearest that stands over requests of the route: over its rule, else over the whole. */
export function groupOfRoute(entry: RouteEntry | undefined, { section }: RequestRoute): PolicyGroup | undefined {
  return entry?.sections.get(section) ?? entry?.whole;
}

export function keyOfRoute({ kind, namespace, name }: RequestRoute): string {
  return specKey({ kind, namespace, name });
}

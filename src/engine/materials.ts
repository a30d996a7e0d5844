import { selectMaterials, type MaterialFinder } from '../policy/providers/provider-material.ts';
import type { Material } from '../policy/read-material.ts';
import { materialKey } from '../policy/spec.ts';
import { createMultiMap } from '../std/multi-map.ts';
import type { Steps } from '../std/steps.ts';
import type { DocumentNews } from './document-lists.ts';
import { createReferents, type PreparedReferents, type Referents } from './referents.ts';

/** Secrets and ConfigMaps, found as documents refer to them. */
export interface Materials extends Omit<Referents<Material>, 'prepare'> {
  /** Nothing is changed by it until `commit`. */
  prepare(news: DocumentNews, unreadable: ReadonlySet<string>): Steps<PreparedMaterials>;
}

export interface PreparedMaterials {
  /** Those that are new, others or gone. */
  readonly changes: readonly MaterialChange[];
  readonly find: MaterialFinder;
  commit(): void;
}

/** One of them as it was and as it is; undefined where there was, or is, none. */
export interface MaterialChange {
  readonly before: Material | undefined;
  readonly after: Material | undefined;
}

export function createMaterials(): Materials {
  const referents = createReferents((parsed) =>
    parsed.kind === 'material' ? { key: parsed.key, referent: parsed.material } : undefined,
  );
  const { settled } = referents;
  const keysIn = createMultiMap();
  return {
    settled,
    twice: () => referents.twice(),
    *prepare(news, unreadable) {
      const prepared = yield* referents.prepare(news, unreadable);
      const changes = [...prepared.changed].map((key) => ({
        key,
        before: settled.get(key),
        after: prepared.get(key),
      }));
      const fresh = Map.groupBy(
        changes.flatMap(({ after }) => after ?? []),
        groupOf,
      );
      const inGroup = (group: string): readonly Material[] => [
        ...[...keysIn.get(group)].flatMap((key) => (prepared.changed.has(key) ? [] : (settled.get(key) ?? []))),
        ...(fresh.get(group) ?? []),
      ];
      return {
        changes,
        find: createFinder(prepared, inGroup),
        commit: () => {
          prepared.commit();
          for (const { key, before, after } of changes) {
            if (before !== undefined) keysIn.delete(groupOf(before), key);
            if (after !== undefined) keysIn.add(groupOf(after), key);
          }
        },
      };
    },
  };
}

/** Those that are found together: what was read for a reference, or all of a namespace, whose names no reference has. */
function groupOf({ reference, namespace }: Material): string {
  return reference ?? namespace;
}

/** Selects once for each selector, however many ask. */
function createFinder(
  { get }: Pick<PreparedReferents<Material>, 'get'>,
  inGroup: (group: string) => readonly Material[],
): MaterialFinder {
  const selections = new Map<string, readonly Material[]>();
  return {
    get,
    select: (selector) => {
      const key = materialKey({ kind: 'Secret', ...selector });
      const known = selections.get(key);
      if (known !== undefined) return known;
      // Those of a watch too are held against the labels: it costs little, and one that has not all of them is nobody's.
      const selected = selectMaterials([...inGroup(key), ...inGroup(selector.namespace)], selector);
      selections.set(key, selected);
      return selected;
    },
  };
}

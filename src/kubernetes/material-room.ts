import type { Logger } from '../core/ports.ts';
import { parsedBefore } from '../policy/parsed-elsewhere.ts';
import type { AuthorDocument, MaterialRef } from '../policy/spec.ts';
import { groupOf } from './reference-budgets.ts';

/** What is kept of the Secrets of a namespace that documents name, and of its ConfigMaps, is bounded: the oldest references have theirs. */
export interface MaterialRoom {
  /** What is kept for the reference has so many characters. */
  weigh(ref: MaterialRef, key: string, weight: number): RoomShift;
  /** Nobody refers to it any more. */
  forget(ref: MaterialRef, key: string): RoomShift;
  /** The keys in the order of their references, by `groupOf`. */
  order(orders: ReadonlyMap<string, readonly string[]>): RoomShift;
  isWithoutRoom(key: string): boolean;
}

/** Keys for which there is no room any more, and those for which there is again. */
export interface RoomShift {
  readonly lost: readonly string[];
  readonly won: readonly string[];
}

interface Group {
  readonly weights: Map<string, number>;
  order: readonly string[];
  without: ReadonlySet<string>;
}

/** Two bytes each at most. A Secret or ConfigMap has a million at most, a key set or a CA some thousands. */
export const maxMaterialCharacters = 4 * 1024 * 1024;
const none: RoomShift = { lost: [], won: [] };
const excess =
  'more text is referred to in Secrets or ConfigMaps of a namespace than is kept: providers that are younger have none of it';

export function createMaterialRoom({ logger }: { readonly logger: Logger }): MaterialRoom {
  const groups = new Map<string, Group>();
  const review = (name: string, group: Group): RoomShift => {
    const before = group.without;
    group.without = withoutRoom(group);
    const [kind, namespace] = name.split(' ');
    if (before.size === 0 && group.without.size > 0)
      logger.warn({ kind, namespace, maxCharacters: maxMaterialCharacters }, excess);
    return {
      lost: [...group.without].filter((key) => !before.has(key)),
      won: [...before].filter((key) => !group.without.has(key)),
    };
  };
  return {
    weigh: (ref, key, weight) => {
      const name = groupOf(ref);
      const group = groups.get(name) ?? { weights: new Map<string, number>(), order: [], without: new Set<string>() };
      groups.set(name, group);
      group.weights.set(key, weight);
      return review(name, group);
    },
    forget: (ref, key) => {
      const name = groupOf(ref);
      const group = groups.get(name);
      if (group?.weights.delete(key) !== true) return none;
      if (group.weights.size === 0) groups.delete(name);
      return review(name, group);
    },
    order: (orders) => {
      const shifts = [...groups].map(([name, group]) => {
        const order = orders.get(name) ?? [];
        if (order === group.order) return none;
        group.order = order;
        return review(name, group);
      });
      return { lost: shifts.flatMap(({ lost }) => lost), won: shifts.flatMap(({ won }) => won) };
    },
    isWithoutRoom: (key) => groups.get(key.slice(0, key.search(/[/?]/)))?.without.has(key) === true,
  };
}

/** Each takes what those before it have left. Those that nobody refers to any more, and that are about to be let go, come last. */
function withoutRoom({ weights, order }: Group): ReadonlySet<string> {
  const without = new Set<string>();
  let room = maxMaterialCharacters;
  for (const key of new Set([...order, ...weights.keys()])) {
    const weight = weights.get(key) ?? 0;
    if (weight > room) without.add(key);
    else room -= weight;
  }
  return without;
}

/** Whether it is bounded: what a selector takes is so one by one, and is small. */
export function isWeighed(ref: MaterialRef): boolean {
  return 'name' in ref && (ref.kind === 'Secret' || ref.kind === 'ConfigMap');
}

/** How many characters are kept of a Secret or ConfigMap. */
export function weightOf(document: AuthorDocument): number {
  const parsed = parsedBefore(document, { serviceNamespace: '' });
  if (parsed?.kind !== 'material') return 0;
  const { data, annotations } = parsed.material;
  const texts = [...data, ...annotations].map(([name, text]) => name.length + text.length);
  return texts.reduce((sum, length) => sum + length, document.text?.length ?? 0);
}

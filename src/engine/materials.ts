import { hasError, type Problem } from '../core/problem.ts';
import type { ParsedDocument } from '../policy/parse-document.ts';
import type { Material } from '../policy/read-material.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';
import { changeLists, replaceLists, type DocumentNews } from './document-lists.ts';

/** The Secrets and ConfigMaps that providers refer to. Where one is not good, there twice or in a file that cannot be read, what was there before stays (S4). */
export interface Materials {
  readonly settled: ReadonlyMap<string, Material>;
  /** Problems of those that are there twice, by their documents. */
  twice(): Iterable<readonly [AuthorDocument, readonly Problem[]]>;
  /** Nothing is changed by it until `commit`. */
  prepare(news: DocumentNews, unreadable: ReadonlySet<string>): Steps<PreparedMaterials>;
}

export interface PreparedMaterials {
  /** Keys of those that are new, others or gone. */
  readonly changed: ReadonlySet<string>;
  readonly material: (key: string) => Material | undefined;
  commit(): void;
}

interface NamedMaterial {
  readonly document: AuthorDocument;
  readonly parsed: Extract<ParsedDocument, { readonly kind: 'material' }>;
}

export function createMaterials(): Materials {
  const lists = new Map<string, readonly NamedMaterial[]>();
  const settled = new Map<string, Material>();
  const twice = new Set<string>();
  let unread: ReadonlySet<string> = new Set();
  return {
    settled,
    *twice() {
      for (const key of twice) yield* problemsOfTwice(key, lists.get(key) ?? []);
    },
    *prepare(news, unreadable) {
      const changedLists = yield* changeLists(lists, news, asMaterial);
      const next = new Map<string, Material | undefined>();
      const nowUnread = new Set<string>();
      for (const key of new Set([...changedLists.keys(), ...unread])) {
        const list = changedLists.get(key) ?? lists.get(key) ?? [];
        const before = settled.get(key);
        const isUnread = list.length === 0 && before !== undefined && unreadable.has(before.source);
        if (isUnread) nowUnread.add(key);
        const material = list.length > 0 ? (usable(list) ?? before) : isUnread ? before : undefined;
        if (material !== before) next.set(key, material);
      }
      return {
        changed: new Set(next.keys()),
        material: (key) => (next.has(key) ? next.get(key) : settled.get(key)),
        commit: () => {
          replaceLists(lists, changedLists);
          for (const [key, list] of changedLists) {
            if (list.length > 1) twice.add(key);
            else twice.delete(key);
          }
          unread = nowUnread;
          for (const [key, material] of next) {
            if (material === undefined) settled.delete(key);
            else settled.set(key, material);
          }
        },
      };
    },
  };
}

function asMaterial(document: AuthorDocument, parsed: ParsedDocument): NamedMaterial | undefined {
  return parsed.kind === 'material' ? { document, parsed } : undefined;
}

function usable(list: readonly NamedMaterial[]): Material | undefined {
  const [only] = list;
  return list.length === 1 && only !== undefined && !hasError(only.parsed.problems) ? only.parsed.material : undefined;
}

function* problemsOfTwice(
  key: string,
  list: readonly NamedMaterial[],
): Iterable<readonly [AuthorDocument, readonly Problem[]]> {
  for (const [index, { document }] of list.entries()) {
    if (index === 0) continue;
    const others = list.slice(0, index).map(({ parsed }) => parsed.material.source);
    const message = `the ${key} is there twice: also ${others.join(', ')}`;
    const place = document.placeOf(['metadata', 'name']);
    yield [document, [{ code: 'duplicate-document', severity: 'error', message, field: 'metadata.name', place }]];
  }
}

import type { AuthorDocument, SourceChange } from '../policy/spec.ts';

/** The documents of a source that tells what changed, by their `source`. */
export interface ObjectSource {
  /** The change in whole documents: those that take others' places, and those whose places are taken. */
  prepare(change: SourceChange): PreparedObjects;
  /** True where there is one of that `source`. */
  has(source: string): boolean;
}

export interface PreparedObjects {
  readonly added: readonly AuthorDocument[];
  readonly removed: readonly AuthorDocument[];
  commit(): void;
}

export function createObjectSource(): ObjectSource {
  const known = new Map<string, AuthorDocument>();
  return {
    has: (source) => known.has(source),
    prepare: ({ changed, removed }) => {
      const next = new Map<string, AuthorDocument | undefined>();
      for (const { source } of removed) next.set(source, undefined);
      for (const document of changed) next.set(document.source, document);
      const isNew = ([source, document]: readonly [string, AuthorDocument | undefined]): boolean =>
        known.get(source) !== document;
      const fresh = [...next].filter(isNew);
      return {
        added: fresh.flatMap(([, document]) => document ?? []),
        removed: fresh.flatMap(([source]) => known.get(source) ?? []),
        commit: () => {
          for (const [source, document] of fresh) {
            if (document === undefined) known.delete(source);
            else known.set(source, document);
          }
        },
      };
    },
  };
}

/** The change in two halves, each object in one of them; undefined where there is only one object. */
export function halveChange({ changed, removed }: SourceChange): readonly SourceChange[] | undefined {
  const sources = [...new Set([...removed, ...changed].map(({ source }) => source))];
  if (sources.length < 2) return undefined;
  const first = new Set(sources.slice(0, sources.length / 2));
  const half = (isFirst: boolean): SourceChange => ({
    changed: changed.filter(({ source }) => first.has(source) === isFirst),
    removed: removed.filter(({ source }) => first.has(source) === isFirst),
  });
  return [half(true), half(false)];
}

import { materialKey, type MaterialRef } from '../policy/spec.ts';

/** What the documents refer to, kept up with their changes. */
export interface References {
  /** Takes note of what a document that came or changed refers to, before anybody judged it. */
  note(source: string, refs: readonly MaterialRef[]): void;
  /** What is needed of it, judged: by the version in force, and by a newer one that was refused. It takes the place of the note. */
  settle(source: string, refs: readonly MaterialRef[]): void;
  forget(source: string): void;
  /** Keys of what the document refers to. */
  of(source: string): readonly string[];
  all(): ReferredMaterials;
}

export interface ReferredMaterials {
  /** By key, those of all documents, but of each namespace no more than are followed: those that were referred to first. */
  readonly refs: ReadonlyMap<string, MaterialRef>;
  /** The namespaces of which some are left out. */
  readonly excessive: ReadonlySet<string>;
}

/** Each is a connection to the API server, in every replica: a namespace must not have as many as it has documents. */
export const maxMaterials = 100;

export function createReferences(): References {
  const settled = new Map<string, readonly MaterialRef[]>();
  const noted = new Map<string, readonly MaterialRef[]>();
  const put = (map: typeof settled, source: string, refs: readonly MaterialRef[]): void => {
    if (refs.length === 0) map.delete(source);
    else map.set(source, refs);
  };
  return {
    note: (source, refs) => put(noted, source, refs),
    settle: (source, refs) => {
      put(settled, source, refs);
      noted.delete(source);
    },
    forget: (source) => {
      settled.delete(source);
      noted.delete(source);
    },
    of: (source) => [...(settled.get(source) ?? []), ...(noted.get(source) ?? [])].map(materialKey),
    all: () => select([...settled.values(), ...noted.values()].flat()),
  };
}

function select(all: readonly MaterialRef[]): ReferredMaterials {
  const refs = new Map<string, MaterialRef>();
  const counts = new Map<string, number>();
  const excessive = new Set<string>();
  for (const ref of all) {
    const key = materialKey(ref);
    // By kind: many routes must not cost a provider its keys.
    const budget = `${ref.kind} ${ref.namespace}`;
    const count = counts.get(budget) ?? 0;
    if (refs.has(key)) continue;
    if (count >= maxMaterials) excessive.add(ref.namespace);
    else {
      refs.set(key, ref);
      counts.set(budget, count + 1);
    }
  }
  return { refs, excessive };
}

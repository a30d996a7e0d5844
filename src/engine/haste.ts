import type { AuthorDocument, SourceChange } from '../policy/spec.ts';

/** Who must not wait for the keys of others. */
export interface Haste {
  /** Somebody may not wait until the returned function is called. */
  begin(hurry: Hurry): () => void;
  /** True where nobody may be kept waiting for keys of a provider of the namespace; empty: of the operator. */
  isOn(namespace: string): boolean;
  /** Calls whenever somebody begins to be in haste; the returned function ends it. */
  listen(listener: () => void): () => void;
}

/** What is taken away is taken from all; the namespaces of policies wait for their own providers and the operator's, and for nobody else's. */
export type Hurry = 'all' | ReadonlySet<string>;

export function createHaste(): Haste {
  const hurries = new Set<{ readonly hurry: Hurry }>();
  const listeners = new Set<() => void>();
  return {
    begin: (hurry) => {
      const one = { hurry };
      hurries.add(one);
      for (const listener of listeners) listener();
      return () => void hurries.delete(one);
    },
    isOn: (namespace) => [...hurries].some(({ hurry }) => hurry === 'all' || isOther(hurry, namespace)),
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function isOther(hurry: ReadonlySet<string>, namespace: string): boolean {
  return namespace !== '' && [...hurry].some((other) => other !== namespace);
}

/**
 * Whether a change is in haste: it takes a Secret or another thing that documents refer to away, or makes another of it, or it says something of a
 * policy, which may restrict what was open. `isKnown`: whether there is one of that source.
 */
export function hurryOf({ removed, changed }: SourceChange, isKnown: (source: string) => boolean): Hurry | undefined {
  const isReferred = ({ reference }: AuthorDocument): boolean => reference !== undefined;
  if (removed.some(isReferred) || changed.some((one) => isReferred(one) && isKnown(one.source))) return 'all';
  const namespaces = new Set([...removed, ...changed].flatMap(({ source }) => namespaceOfPolicy(source) ?? []));
  return namespaces.size === 0 ? undefined : namespaces;
}

/** Empty for a cluster policy; undefined where it is none. */
function namespaceOfPolicy(source: string): string | undefined {
  const found = /^(?:Cluster)?AccessPolicy (?:([^/]*)\/)?/.exec(source);
  return found === null ? undefined : (found[1] ?? '');
}

import type { SourceChange } from '../policy/spec.ts';

/** Who takes documents, and denies while not all of them are known. */
export interface UnroutedSink {
  /** Resolves once what is good of it is in force. Never rejects. */
  applyChange(change: SourceChange): Promise<unknown>;
  /** Denies checks that do not say which route the proxy chose, on all hosts of these namespaces: hostnames of their routes are not known. */
  closeUnrouted(namespaces: ReadonlySet<string>): void;
}

/**
 * Keeps namespaces closed to checks that do not say which route the proxy chose, as long as hostnames of routes are not known: what is to be closed
 * is closed before a change is in force, and what is to be opened is opened when it is.
 */
export interface UnroutedGate {
  /** `closed`: the namespaces of which hostnames are unknown, with all that was read before this change and with it. Never rejects. */
  apply(change: SourceChange, closed: ReadonlySet<string>): Promise<void>;
  /** True where these are the namespaces that are closed, or will be when all changes are in force. */
  isAt(closed: ReadonlySet<string>): boolean;
}

export function createUnroutedGate(sink: UnroutedSink): UnroutedGate {
  /** By the changes that are on their way; the first is what holds now. */
  let asked: readonly ReadonlySet<string>[] = [new Set()];
  const close = (): void => sink.closeUnrouted(new Set(asked.flatMap((namespaces) => [...namespaces])));
  return {
    apply: async (change, closed) => {
      asked = [...asked, closed];
      close();
      await sink.applyChange(change);
      // Changes are in force in the order in which they were asked for.
      asked = asked.slice(asked.indexOf(closed));
      close();
    },
    isAt: (closed) => {
      const last = asked.at(-1);
      return last !== undefined && last.size === closed.size && [...closed].every((namespace) => last.has(namespace));
    },
  };
}

import type { MaterialRef, SourceChange } from '../policy/spec.ts';
import { specKey } from '../policy/spec.ts';
import { materialCollection } from './collection.ts';
import { toClusterDocument } from './cluster-document.ts';
import { createReflector, type Reflector, type ReflectorPorts, type ReflectorTiming } from './reflector.ts';
import type { AuthorDocument } from '../policy/spec.ts';

/** Follows Secrets and ConfigMaps one by one, and only those that somebody refers to. */
export interface MaterialFollower {
  /** From now on exactly these are followed. */
  follow(refs: ReadonlyMap<string, MaterialRef>): void;
  /** Resolves when each was read once, or found to be missing, or the time is over. */
  synced(timeoutMs: number): Promise<void>;
  reflectors(): readonly Reflector[];
  close(): void;
}

interface Followed {
  readonly reflector: Reflector;
  document: AuthorDocument | undefined;
}

export function createMaterialFollower(options: {
  readonly ports: ReflectorPorts;
  readonly timing: Partial<ReflectorTiming>;
  readonly onChange: (change: SourceChange) => void;
}): MaterialFollower {
  const { ports, timing, onChange } = options;
  const followed = new Map<string, Followed>();
  const begin = (key: string, ref: MaterialRef): void => {
    const reflector = createReflector({
      collection: materialCollection(ref),
      convert: (object, meta) => toClusterDocument(object, meta, ref.kind).document,
      onChange: ({ removed, changed }) => {
        const known = followed.get(key);
        if (known?.reflector !== reflector) return;
        known.document = changed.at(-1);
        if (removed.length > 0 || changed.length > 0) onChange({ removed, changed });
      },
      ports,
      timing,
    });
    followed.set(key, { reflector, document: undefined });
  };
  const end = (key: string, { reflector, document }: Followed): void => {
    reflector.close();
    followed.delete(key);
    if (document !== undefined) onChange({ removed: [document], changed: [] });
  };
  return {
    follow: (refs) => {
      for (const [key, one] of followed) if (!refs.has(key)) end(key, one);
      for (const [key, ref] of refs) if (!followed.has(key)) begin(key, ref);
    },
    synced: (timeoutMs) =>
      new Promise((resolve) => {
        const cancel = ports.timers.after(timeoutMs, resolve);
        void Promise.all([...followed.values()].map(({ reflector }) => reflector.synced)).then(() => {
          cancel();
          resolve();
        });
      }),
    reflectors: () => [...followed.values()].map(({ reflector }) => reflector),
    close: () => {
      for (const { reflector } of followed.values()) reflector.close();
      followed.clear();
    },
  };
}

/** Which Secrets and ConfigMaps the documents refer to, kept up with their changes. */
export interface References {
  /** Takes note of one document that came or changed; `refs` undefined: it is refused, and what its last good version refers to is still needed. */
  note(source: string, refs: readonly MaterialRef[] | undefined): void;
  forget(source: string): void;
  /** By key, those of all documents. */
  all(): ReadonlyMap<string, MaterialRef>;
}

export function createReferences(): References {
  const bySource = new Map<string, readonly MaterialRef[]>();
  return {
    note: (source, refs) => {
      if (refs === undefined) return;
      if (refs.length === 0) bySource.delete(source);
      else bySource.set(source, refs);
    },
    forget: (source) => void bySource.delete(source),
    all: () => new Map([...bySource.values()].flat().map((ref) => [specKey(ref), ref])),
  };
}

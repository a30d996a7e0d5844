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
  const begin = (key: string, { kind, namespace, name }: MaterialRef): void => {
    const reflector = createReflector({
      collection: materialCollection(kind, namespace, name),
      convert: (object, meta) => toClusterDocument(object, meta, kind).document,
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
  const bySource = new Map<string, readonly MaterialRef[]>();
  return {
    note: (source, refs) => {
      if (refs === undefined) return;
      if (refs.length === 0) bySource.delete(source);
      else bySource.set(source, refs);
    },
    forget: (source) => void bySource.delete(source),
    all: () => select([...bySource.values()].flat()),
  };
}

function select(all: readonly MaterialRef[]): ReferredMaterials {
  const refs = new Map<string, MaterialRef>();
  const counts = new Map<string, number>();
  const excessive = new Set<string>();
  for (const ref of all) {
    const key = specKey(ref);
    const count = counts.get(ref.namespace) ?? 0;
    if (refs.has(key)) continue;
    if (count >= maxMaterials) excessive.add(ref.namespace);
    else {
      refs.set(key, ref);
      counts.set(ref.namespace, count + 1);
    }
  }
  return { refs, excessive };
}

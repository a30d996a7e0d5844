import type { MaterialRef, SourceChange } from '../policy/spec.ts';
import { materialKey } from '../policy/spec.ts';
import { materialCollection } from './collection.ts';
import { toClusterDocument } from './cluster-document.ts';
import {
  createReflector,
  type Reflector,
  type ReflectorPorts,
  type ReflectorState,
  type ReflectorTiming,
} from './reflector.ts';
import type { AuthorDocument } from '../policy/spec.ts';

/** Follows Secrets, ConfigMaps and routes one by one, and only those that somebody refers to. */
export interface MaterialFollower {
  /** From now on exactly these are followed. */
  follow(refs: ReadonlyMap<string, MaterialRef>): void;
  /** Resolves when each was read once, or found to be missing, or refused by the server, or the time is over. */
  synced(timeoutMs: number): Promise<void>;
  /** Of the reflector of one of them, by its key; undefined where it is not followed. */
  state(key: string): ReflectorState | undefined;
  reflectors(): readonly Reflector[];
  close(): void;
}

interface Followed {
  readonly reflector: Reflector;
  /** Those that it follows, by their sources: one of a name, and of a selector all that it takes. */
  readonly documents: Map<string, AuthorDocument>;
}

export function createMaterialFollower(options: {
  readonly ports: ReflectorPorts;
  readonly timing: Partial<ReflectorTiming>;
  readonly onChange: (change: SourceChange) => void;
  /** Called when the server said for the first time what there is of one. */
  readonly onAnswered: () => void;
}): MaterialFollower {
  const { ports, timing, onChange, onAnswered } = options;
  const followed = new Map<string, Followed>();
  // One that is named and taken by a selector is followed twice, and gone only where nobody has it any more.
  const isHeld = ({ source }: AuthorDocument): boolean =>
    [...followed.values()].some(({ documents }) => documents.has(source));
  const tell = (change: SourceChange): void => {
    const removed = change.removed.filter((document) => !isHeld(document));
    if (removed.length > 0 || change.changed.length > 0) onChange({ removed, changed: change.changed });
  };
  const begin = (key: string, ref: MaterialRef): void => {
    const documents = new Map<string, AuthorDocument>();
    const reflector = createReflector({
      collection: materialCollection(ref),
      convert: (object, meta) => toClusterDocument(object, meta, ref.kind).document,
      onChange: ({ removed, changed }) => {
        if (followed.get(key)?.reflector !== reflector) return;
        for (const { source } of removed) documents.delete(source);
        for (const document of changed) documents.set(document.source, document);
        tell({ removed, changed });
      },
      ports,
      timing,
    });
    followed.set(key, { reflector, documents });
    void reflector.answered.then(onAnswered);
  };
  const end = (key: string, { reflector, documents }: Followed): void => {
    reflector.close();
    followed.delete(key);
    tell({ removed: [...documents.values()], changed: [] });
  };
  return {
    follow: (refs) => {
      for (const [key, one] of followed) if (!refs.has(key)) end(key, one);
      for (const [key, ref] of refs) if (!followed.has(key)) begin(key, ref);
    },
    synced: (timeoutMs) =>
      new Promise((resolve) => {
        const cancel = ports.timers.after(timeoutMs, resolve);
        void Promise.all([...followed.values()].map(({ reflector }) => reflector.answered)).then(() => {
          cancel();
          resolve();
        });
      }),
    state: (key) => followed.get(key)?.reflector.state(),
    reflectors: () => [...followed.values()].map(({ reflector }) => reflector),
    close: () => {
      for (const { reflector } of followed.values()) reflector.close();
      followed.clear();
    },
  };
}

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

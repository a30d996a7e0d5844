import type { AuthorDocument, MaterialRef, SourceChange } from '../policy/spec.ts';
import { toClusterDocument, type ClusterDocument } from './cluster-document.ts';
import { materialCollection } from './collection.ts';
import {
  createReflector,
  type Reflector,
  type ReflectorPorts,
  type ReflectorState,
  type ReflectorTiming,
} from './reflector.ts';

/**
 * Follows Secrets, ConfigMaps and routes, and only those that somebody refers to. Each reference is followed by itself, and its documents are its
 * own (`reference`): two watches that see one Secret may be far apart, and the one that is behind must not take back what the other said.
 */
export interface MaterialFollower {
  /** From now on these are followed too. Resolves when those that are new were read once, or found to be missing, or refused by the server. */
  follow(refs: ReadonlyMap<string, MaterialRef>): Promise<void>;
  /** From now on no others are followed: what there is of them is told as gone. */
  keepOnly(refs: ReadonlyMap<string, MaterialRef>): void;
  /** Those of which the server did not say yet what there is, by key. That it may not be read is an answer. */
  readonly pending: ReadonlySet<string>;
  /** Those with a name that are there and cannot be read, and why, as a sentence without its subject; by key. */
  readonly unread: ReadonlyMap<string, string>;
  /** Of the reflector of one of them, by its key; undefined where it is not followed. */
  state(key: string): ReflectorState | undefined;
  reflectors(): readonly Reflector[];
  close(): void;
}

interface Followed {
  readonly reflector: Reflector;
  /** What there is now, by source: one of a name, and of a selector all that it takes. */
  readonly documents: ReadonlyMap<string, AuthorDocument>;
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
  const pending = new Set<string>();
  const unread = new Map<string, string>();
  const begin = async (key: string, ref: MaterialRef): Promise<void> => {
    const documents = new Map<string, AuthorDocument>();
    const reflector = createReflector({
      collection: materialCollection(ref),
      convert: (object, meta, known: ClusterDocument | undefined) =>
        toClusterDocument(object, meta, ref.kind, known, ref),
      onChange: (news) => {
        if (followed.get(key)?.documents !== documents) return;
        const [removed, changed] = [news.removed.map(documentOf), news.changed.map(documentOf)];
        put(documents, { removed, changed });
        noteUnread(unread, key, 'name' in ref ? news.changed.at(-1)?.unread : undefined);
        onChange({ removed, changed });
      },
      ports,
      timing,
    });
    followed.set(key, { reflector, documents });
    pending.add(key);
    await reflector.answered;
    if (followed.get(key)?.documents !== documents) return;
    pending.delete(key);
    onAnswered();
  };
  const end = (key: string, { reflector, documents }: Followed): void => {
    reflector.close();
    followed.delete(key);
    pending.delete(key);
    unread.delete(key);
    // Nobody is left who would say that they are gone.
    if (documents.size > 0) onChange({ removed: [...documents.values()], changed: [] });
  };
  return {
    follow: async (refs) => {
      const fresh = [...refs].filter(([key]) => !followed.has(key));
      await Promise.all(fresh.map(([key, ref]) => begin(key, ref)));
    },
    keepOnly: (refs) => {
      for (const [key, one] of followed) if (!refs.has(key)) end(key, one);
    },
    pending,
    unread,
    state: (key) => followed.get(key)?.reflector.state(),
    reflectors: () => [...followed.values()].map(({ reflector }) => reflector),
    close: () => {
      for (const { reflector } of followed.values()) reflector.close();
      followed.clear();
    },
  };
}

function put(documents: Map<string, AuthorDocument>, { removed, changed }: SourceChange): void {
  for (const { source } of removed) documents.delete(source);
  for (const document of changed) documents.set(document.source, document);
}

function noteUnread(unread: Map<string, string>, key: string, why: string | undefined): void {
  if (why === undefined) unread.delete(key);
  else unread.set(key, why);
}

function documentOf({ document }: ClusterDocument): AuthorDocument {
  return document;
}

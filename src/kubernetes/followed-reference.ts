import type { AuthorDocument, MaterialRef, SourceChange } from '../policy/spec.ts';
import { toClusterDocument, type ClusterDocument } from './cluster-document.ts';
import { materialCollection } from './collection.ts';
import { isWeighed, weightOf } from './material-room.ts';
import type { ReflectedChange } from './reflected-store.ts';
import { createReflector, type Reflector, type ReflectorPorts, type ReflectorTiming } from './reflector.ts';

/** What one reference finds, as its own watch says. */
export interface FollowedReference {
  readonly ref: MaterialRef;
  readonly reflector: Reflector;
  /** What was told and is there, by source: one of a name, and of a selector all that it takes. */
  readonly told: Map<string, AuthorDocument>;
  /** There is no room for it: it is told as gone, and its texts are not kept. */
  letGo(): void;
  /** True of one that is there and was let go of: only the server has it. */
  isLetGo(): boolean;
  /** Nothing is told from here on. */
  close(): void;
}

export interface FollowedReferenceOptions {
  readonly ref: MaterialRef;
  /** Of the same reference with other keys, or without room: what was told of it stays until there is news. */
  readonly before: FollowedReference | undefined;
  /** Asked with how many characters would be kept of something with a name. */
  readonly hasRoom: (weight: number) => boolean;
  /** Told with each change of something with a name why it cannot be read, as a sentence without its subject; undefined where it can, or is gone. */
  readonly onRead: (why: string | undefined) => void;
  readonly onChange: (change: SourceChange) => void;
  readonly ports: ReflectorPorts;
  readonly timing: Partial<ReflectorTiming>;
}

/** An object as the copy of the server has it. */
interface Held {
  kept: ClusterDocument | undefined;
}

export function createFollowedReference(options: FollowedReferenceOptions): FollowedReference {
  const { ref, before, hasRoom, onRead, onChange, ports, timing } = options;
  const told = before?.told ?? new Map<string, AuthorDocument>();
  let held: Held | undefined;
  let weight = 0;
  let [isFirst, isClosed] = [true, false];
  const tell = (removed: readonly AuthorDocument[], changed: readonly AuthorDocument[]): void => {
    for (const { source } of removed) told.delete(source);
    for (const document of changed) told.set(document.source, document);
    onChange({ removed, changed });
  };
  const letGo = (): void => {
    if (held !== undefined) held.kept = undefined;
    if (told.size > 0) tell([...told.values()], []);
  };
  const take = ({ removed, changed }: ReflectedChange<Held>): void => {
    if (isClosed) return;
    const documents = documentsOf(changed);
    // A copy that begins anew does not say what is gone.
    const gone = isFirst ? goneOf(told, documents) : documentsOf(removed);
    isFirst = false;
    held = changed.at(-1);
    if ('name' in ref) onRead(held?.kept?.unread);
    // Of what cannot be read, what was read before stays in force.
    if (held?.kept?.unread === undefined) weight = documents.reduce((sum, document) => sum + weightOf(document), 0);
    if (isWeighed(ref) && !hasRoom(weight)) letGo();
    else tell(gone, documents);
  };
  const reflector = createReflector({
    collection: materialCollection(ref),
    convert: (object, meta, known: Held | undefined) => ({
      kept: toClusterDocument(object, meta, ref.kind, known?.kept, ref),
    }),
    onChange: take,
    ports,
    timing,
  });
  return {
    ref,
    reflector,
    told,
    letGo,
    isLetGo: () => isWeighed(ref) && held !== undefined && held.kept === undefined,
    close: () => {
      isClosed = true;
      reflector.close();
    },
  };
}

function documentsOf(all: readonly Held[]): readonly AuthorDocument[] {
  return all.flatMap(({ kept }) => kept?.document ?? []);
}

/** Those that are not among the others, or were made anew. */
function goneOf(
  told: ReadonlyMap<string, AuthorDocument>,
  documents: readonly AuthorDocument[],
): readonly AuthorDocument[] {
  const uids = new Map(documents.map(({ source, version }) => [source, version?.uid]));
  return [...told.values()].filter(({ source, version }) => uids.get(source) !== version?.uid);
}

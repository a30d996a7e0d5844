import type { AuthorDocument, SourceChange } from '../policy/spec.ts';

/** Who parses documents that take long. */
export interface HeavyParser {
  /** False of one that was parsed already. */
  isHeavy(document: AuthorDocument): boolean;
  /** Parses it elsewhere, after which it is not heavy any more. Never rejects. */
  parse(document: AuthorDocument): Promise<void>;
}

/** What takes long to parse holds up changes of its own namespace alone, which stay in their order. */
export interface DocumentLanes {
  add(change: SourceChange): void;
  /** Resolves once all that waits now was handed on, whatever comes meanwhile. */
  emptied(): Promise<void>;
  /** Nothing is handed on from here on. */
  close(): void;
}

/** Of one document: the version that goes, and the one that comes, as one change. */
interface Entry {
  readonly source: string;
  readonly removed: AuthorDocument | undefined;
  readonly next: AuthorDocument | undefined;
}

/** In the order in which they came, by source; of several versions that wait the newest alone. */
type Lane = Map<string, Entry>;

/**
 * Hands changes on at once, but for those of a namespace in which a document is being parsed: these wait behind it. One document is parsed at a
 * time, and the namespaces have their turn one after the other, so that nobody's documents hold up those of others for longer than one of them
 * takes.
 */
export function createDocumentLanes(parser: HeavyParser, handOn: (change: SourceChange) => void): DocumentLanes {
  /** In the order of their turns. */
  const lanes = new Map<string, Lane>();
  const emptyings = createEmptyings();
  let inWork: string | undefined;
  let isRunning = false;
  let isClosed = false;
  const handOnAll = (entries: readonly Entry[]): void => {
    if (entries.length > 0) handOn(toChange(entries));
    emptyings.note(entries);
  };
  const hold = (namespace: string, entry: Entry): void => {
    const lane = lanes.get(namespace) ?? new Map<string, Entry>();
    lanes.set(namespace, lane.set(entry.source, merge(lane.get(entry.source), entry)));
  };
  const takeTurn = async (namespace: string, lane: Lane): Promise<void> => {
    const ready = await takeReady(lane, parser, (source) => (inWork = source));
    if (isClosed) return;
    lanes.delete(namespace);
    // Behind the others.
    if (lane.size > 0) lanes.set(namespace, lane);
    handOnAll(ready);
  };
  const run = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    for (let [first] = lanes; first !== undefined; [first] = lanes) {
      if (isClosed) return;
      await takeTurn(...first);
    }
    isRunning = false;
  };
  return {
    add: (change) => {
      const entries = toEntries(change);
      const free = entries.filter((entry) => {
        const namespace = namespaceOf(entry.source);
        const isHeld = lanes.has(namespace) || isHeavy(entry, parser);
        if (isHeld) hold(namespace, entry);
        return !isHeld;
      });
      handOnAll(free);
      void run();
    },
    emptied: () => {
      const waiting = [...lanes.values()].flatMap((lane) => [...lane.keys()]);
      return emptyings.until(inWork === undefined ? waiting : [inWork, ...waiting]);
    },
    close: () => {
      isClosed = true;
    },
  };
}

function isHeavy({ next }: Entry, parser: HeavyParser): boolean {
  return next !== undefined && parser.isHeavy(next);
}

/** Parses the first of the lane where it is heavy, and takes out what is ready then: all before the next heavy one. */
async function takeReady(
  lane: Lane,
  parser: HeavyParser,
  onWork: (source: string | undefined) => void,
): Promise<readonly Entry[]> {
  const ready: Entry[] = [];
  const [head] = lane.values();
  if (head?.next !== undefined && isHeavy(head, parser)) {
    // What comes of it meanwhile comes behind it: one that is written again and again would else never be in force.
    lane.delete(head.source);
    ready.push(head);
    onWork(head.source);
    await parser.parse(head.next);
    onWork(undefined);
  }
  for (const entry of lane.values()) {
    if (isHeavy(entry, parser)) break;
    ready.push(entry);
    lane.delete(entry.source);
  }
  return ready;
}

/** Who waits for documents to be handed on. */
interface Emptyings {
  /** Resolves when all of these were handed on, at once where there are none. */
  until(sources: Iterable<string>): Promise<void>;
  /** These are handed on. */
  note(entries: readonly Entry[]): void;
}

function createEmptyings(): Emptyings {
  const waiting = new Set<{ readonly left: Set<string>; readonly resolve: (value: undefined) => void }>();
  return {
    until: (sources) => {
      const left = new Set(sources);
      const { promise, resolve } = Promise.withResolvers<undefined>();
      if (left.size === 0) resolve(undefined);
      else waiting.add({ left, resolve });
      return promise;
    },
    note: (entries) => {
      for (const waiter of waiting) {
        for (const { source } of entries) waiter.left.delete(source);
        if (waiter.left.size > 0) continue;
        waiting.delete(waiter);
        waiter.resolve(undefined);
      }
    },
  };
}

function toEntries({ removed, changed }: SourceChange): readonly Entry[] {
  return mergeAll([
    ...removed.map((document) => ({ source: document.source, removed: document, next: undefined })),
    ...changed.map((document) => ({ source: document.source, removed: undefined, next: document })),
  ]);
}

function toChange(entries: readonly Entry[]): SourceChange {
  const merged = mergeAll(entries);
  return {
    removed: merged.flatMap(({ removed }) => removed ?? []),
    changed: merged.flatMap(({ next }) => next ?? []),
  };
}

/** One entry a document, of what happened to it one after the other. */
function mergeAll(entries: readonly Entry[]): readonly Entry[] {
  const merged = new Map<string, Entry>();
  for (const entry of entries) merged.set(entry.source, merge(merged.get(entry.source), entry));
  return [...merged.values()];
}

function merge(first: Entry | undefined, then: Entry): Entry {
  return { ...then, removed: first?.removed ?? then.removed };
}

/** Of `AccessPolicy shop/orders`; empty for a kind of the cluster. */
function namespaceOf(source: string): string {
  const [namespace, name] = source.slice(source.indexOf(' ') + 1).split('/');
  return name === undefined ? '' : (namespace ?? '');
}

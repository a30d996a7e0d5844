import type { AuthorDocument, SourceChange } from '../policy/spec.ts';

/** Who parses documents that take long. */
export interface HeavyParser {
  /** False of one that was parsed already. */
  isHeavy(document: AuthorDocument): boolean;
  /** Parses it elsewhere, after which it is not heavy any more. Never rejects. */
  parse(document: AuthorDocument): Promise<void>;
  /** What stands for it until it is parsed: a document that denies what it governs. */
  unread(document: AuthorDocument): AuthorDocument;
}

/** What takes long to parse holds up changes of its own namespace alone, which stay in their order. */
export interface DocumentLanes {
  add(change: SourceChange): void;
  /** Resolves once all that waits now was handed on, whatever comes meanwhile. */
  emptied(): Promise<void>;
  /** Hands on all that waits: what has to be parsed denies what it governs until it is. */
  handOnUnread(): void;
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
  const waiters = createWaiters();
  let inWork: Entry | undefined;
  let isRunning = false;
  let isClosed = false;
  const isHeavy = ({ next }: Entry): boolean => next !== undefined && parser.isHeavy(next);
  const asUnread = (entry: Entry): Entry =>
    entry.next !== undefined && isHeavy(entry) ? { ...entry, next: parser.unread(entry.next) } : entry;
  const handOnAll = (entries: readonly Entry[]): void => {
    if (entries.length === 0) return;
    handOn(toChange(entries));
    waiters.tell(entries);
  };
  const takeTurn = async (namespace: string, lane: Lane): Promise<void> => {
    const ready: Entry[] = [];
    const [head] = lane.values();
    if (head?.next !== undefined && isHeavy(head)) {
      // What comes of it meanwhile comes behind it: one that is written again and again would else never be in force.
      lane.delete(head.source);
      ready.push(head);
      inWork = head;
      await parser.parse(head.next);
      inWork = undefined;
      if (isClosed) return;
    }
    ready.push(...takeUntil(lane, isHeavy));
    lanes.delete(namespace);
    // Behind the others.
    if (lane.size > 0) lanes.set(namespace, lane);
    handOnAll(ready);
  };
  const run = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    for (let [first] = lanes; first !== undefined; [first] = lanes) await takeTurn(...first);
    isRunning = false;
  };
  return {
    add: (change) => {
      const free = toEntries(change).filter((entry) => !hold(lanes, entry, isHeavy));
      handOnAll(free);
      void run();
    },
    emptied: () => {
      const held = [...lanes.values()].flatMap((lane) => [...lane.keys()]);
      return waiters.until(inWork === undefined ? held : [...held, inWork.source]);
    },
    handOnUnread: () => {
      const held = [...lanes.values()].flatMap((lane) => [...lane.values()]);
      handOnAll([...(inWork === undefined ? [] : [inWork]), ...held].map(asUnread));
    },
    close: () => {
      isClosed = true;
      lanes.clear();
    },
  };
}

/** Puts it into the lane of its namespace; false where nothing holds it up. */
function hold(lanes: Map<string, Lane>, entry: Entry, isHeavy: (entry: Entry) => boolean): boolean {
  const namespace = namespaceOf(entry.source);
  const known = lanes.get(namespace);
  if (known === undefined && !isHeavy(entry)) return false;
  const lane = known ?? new Map<string, Entry>();
  lanes.set(namespace, lane.set(entry.source, merge(lane.get(entry.source), entry)));
  return true;
}

/** The entries before the first that is heavy, taken out. */
function takeUntil(lane: Lane, isHeavy: (entry: Entry) => boolean): readonly Entry[] {
  const ready: Entry[] = [];
  for (const entry of lane.values()) {
    if (isHeavy(entry)) break;
    ready.push(entry);
    lane.delete(entry.source);
  }
  return ready;
}

interface Waiters {
  /** Resolves once each of them was told. */
  until(sources: readonly string[]): Promise<void>;
  tell(entries: readonly Entry[]): void;
}

function createWaiters(): Waiters {
  const waiters = new Set<{ readonly left: Set<string>; readonly resolve: () => void }>();
  return {
    until: async (sources) => {
      const left = new Set(sources);
      if (left.size > 0) await new Promise<void>((resolve) => waiters.add({ left, resolve }));
    },
    tell: (entries) => {
      for (const waiter of waiters) {
        for (const { source } of entries) waiter.left.delete(source);
        if (waiter.left.size > 0) continue;
        waiters.delete(waiter);
        waiter.resolve();
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

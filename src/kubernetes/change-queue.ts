import type { AuthorDocument, SourceChange } from '../policy/spec.ts';

/** Hands changes on one at a time; what comes meanwhile is put together, so that a burst of changes is few. */
export interface ChangeQueue {
  add(change: SourceChange): void;
  /** Begins to hand on; until then changes are collected. Resolves when everything that was collected is taken in, whatever comes meanwhile. */
  open(): Promise<void>;
  /** All that waits: whoever asks hands it on. */
  takeOut(): SourceChange;
}

interface Waiting {
  /** True where the one that was taken before is not the one that `next` is a version of. */
  readonly isGone: boolean;
  readonly next: AuthorDocument | undefined;
}

/**
 * `take` is called with the whole of what waits, once with nothing where there is nothing at the start, and never rejects.
 * `hasten` is told of what has to wait for another change; the function that it returns is called when that is handed on.
 */
export function createChangeQueue(
  take: (change: SourceChange) => Promise<void>,
  hasten: (change: SourceChange) => () => void,
): ChangeQueue {
  const taken = new Map<string, AuthorDocument>();
  let waiting = new Map<string, Waiting>();
  let isOpen = false;
  let isRunning = false;
  const endHaste: (() => void)[] = [];
  const takeOut = (): SourceChange => {
    for (const end of endHaste.splice(0)) end();
    const now = [...waiting];
    waiting = new Map();
    const removed = now.flatMap(([source, { isGone }]) => (isGone ? (taken.get(source) ?? []) : []));
    for (const { source } of removed) taken.delete(source);
    // Of a document that is the same one nothing but its status changed: most of what a watch brings are answers to our own writes.
    const isNews = (next: AuthorDocument): boolean => taken.get(next.source) !== next;
    const changed = now.flatMap(([, { next }]) => (next !== undefined && isNews(next) ? next : []));
    for (const document of changed) taken.set(document.source, document);
    return { removed, changed };
  };
  const takeAll = async (): Promise<void> => {
    const change = takeOut();
    // One that was made anew under its name is in both, in one change: in between a wider policy would decide, and a floor would be missing.
    if (change.removed.length + change.changed.length > 0) await take(change);
  };
  const run = async (): Promise<void> => {
    if (!isOpen || isRunning) return;
    isRunning = true;
    while (waiting.size > 0) await takeAll();
    isRunning = false;
  };
  return {
    add: (change) => {
      const { removed, changed } = change;
      if (isRunning) endHaste.push(hasten(change));
      for (const { source } of removed) waiting.set(source, { isGone: true, next: undefined });
      for (const next of changed) waiting.set(next.source, { isGone: waiting.get(next.source)?.isGone ?? false, next });
      void run();
    },
    open: async () => {
      isOpen = true;
      if (waiting.size === 0) return take({ removed: [], changed: [] });
      isRunning = true;
      await takeAll();
      isRunning = false;
      void run();
    },
    takeOut,
  };
}

import type { AuthorDocument, SourceChange } from '../policy/spec.ts';

/** Changes that wait to be handed on, put together to one. */
export interface WaitingChanges {
  isEmpty(): boolean;
  add(change: SourceChange): void;
  /** All that waits. */
  takeOut(): TakenOut;
}

export interface TakenOut {
  readonly change: SourceChange;
  /** Whether it was taken. Else it waits again, but for what was taken out since: that is newer. To be told once. */
  settled(isTaken: boolean): void;
}

interface Waiting {
  /** True where the one that was taken before is not the one that `next` is a version of. */
  readonly isGone: boolean;
  readonly next: AuthorDocument | undefined;
}

export function createWaitingChanges(): WaitingChanges {
  const taken = new Map<string, AuthorDocument>();
  /** What was put back: news again, though it is the same. */
  const again = new Set<string>();
  /** Of each that was taken out and is not settled: what was taken out since, by its source. */
  const underWay = new Set<Set<string>>();
  let waiting = new Map<string, Waiting>();
  const putBack = ({ removed, changed }: SourceChange): void => {
    const newer = waiting;
    waiting = new Map();
    for (const document of removed) {
      taken.set(document.source, document);
      waiting.set(document.source, { isGone: true, next: undefined });
    }
    for (const next of changed) {
      again.add(next.source);
      waiting.set(next.source, { isGone: waiting.has(next.source), next });
    }
    for (const [source, { isGone, next }] of newer) {
      waiting.set(source, { isGone: isGone || waiting.get(source)?.isGone === true, next });
    }
  };
  const follow = (change: SourceChange): TakenOut => {
    const { removed, changed } = change;
    const since = new Set<string>();
    const isNewest = ({ source }: AuthorDocument): boolean => !since.has(source);
    for (const later of underWay) for (const { source } of [...removed, ...changed]) later.add(source);
    underWay.add(since);
    return {
      change,
      settled: (isTaken) => {
        underWay.delete(since);
        if (!isTaken) putBack({ removed: [...removed].filter(isNewest), changed: changed.filter(isNewest) });
      },
    };
  };
  return {
    isEmpty: () => waiting.size === 0,
    add: ({ removed, changed }) => {
      for (const { source } of removed) waiting.set(source, { isGone: true, next: undefined });
      for (const next of changed) waiting.set(next.source, { isGone: waiting.get(next.source)?.isGone ?? false, next });
    },
    takeOut: () => {
      const now = [...waiting];
      waiting = new Map();
      const removed = now.flatMap(([source, { isGone }]) => (isGone ? (taken.get(source) ?? []) : []));
      for (const { source } of removed) taken.delete(source);
      // Of a document that is the same one nothing but its status changed: most of what a watch brings are answers to our own writes.
      const isNews = (next: AuthorDocument): boolean => again.has(next.source) || taken.get(next.source) !== next;
      const changed = now.flatMap(([, { next }]) => (next !== undefined && isNews(next) ? next : []));
      for (const document of changed) taken.set(document.source, document);
      again.clear();
      return follow({ removed, changed });
    },
  };
}

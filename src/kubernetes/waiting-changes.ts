import type { AuthorDocument, SourceChange } from '../policy/spec.ts';

/** Changes that wait to be handed on, put together to one. */
export interface WaitingChanges {
  isEmpty(): boolean;
  add(change: SourceChange): void;
  /** All that waits, which counts as taken from then on. */
  takeOut(): SourceChange;
  /** What was taken out was not taken: it waits again, and what came since comes behind it. */
  putBack(change: SourceChange): void;
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
  let waiting = new Map<string, Waiting>();
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
      return { removed, changed };
    },
    putBack: ({ removed, changed }) => {
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
    },
  };
}

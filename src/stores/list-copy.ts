import type { Clock, SharedListChange, Timers } from '../core/ports.ts';

/** The copy of a shared list that a process holds. */
export interface ListCopy {
  readonly entries: ReadonlyMap<string, number>;
  /** False where the entry is there with the same end or a later one. */
  take(entries: Iterable<readonly [entry: string, expiresAt: number]>): boolean;
  /** Takes out what has ended; `now` in milliseconds since the epoch. */
  sweep(now: number): void;
  /** Of an entry that lasts longer than before too. */
  onChange(listener: (change: SharedListChange) => void): () => void;
}

/** Of one sweep: who listens does something for each of them. */
const maxEndedAtOnce = 5000;

export function createListCopy(): ListCopy {
  const entries = new Map<string, number>();
  const listeners = new Set<(change: SharedListChange) => void>();
  const tell = (change: SharedListChange): void => {
    for (const listener of listeners) listener(change);
  };
  return {
    entries,
    take: (incoming) => {
      const added: string[] = [];
      for (const [entry, expiresAt] of incoming) {
        const known = entries.get(entry);
        if (known !== undefined && known >= expiresAt) continue;
        entries.set(entry, expiresAt);
        added.push(entry);
      }
      if (added.length > 0) tell({ added, ended: [] });
      return added.length > 0;
    },
    sweep: (now) => {
      const ended: string[] = [];
      for (const [entry, expiresAt] of entries) {
        if (expiresAt > now) continue;
        ended.push(entry);
        if (ended.length === maxEndedAtOnce) break;
      }
      for (const entry of ended) entries.delete(entry);
      if (ended.length > 0) tell({ added: [], ended });
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** How often what has ended is taken out of a list that nobody else sweeps, milliseconds. */
const sweepMs = 5000;

/** Sweeps the copy until the returned function is called. */
export function sweepRegularly(
  copy: ListCopy,
  { clock, timers }: { readonly clock: Clock; readonly timers: Timers },
): () => void {
  let cancel = (): void => undefined;
  const sweepLater = (): void => {
    cancel = timers.after(sweepMs, () => {
      copy.sweep(clock.now());
      sweepLater();
    });
  };
  sweepLater();
  return () => cancel();
}

import type { Timers } from '../../core/ports.ts';
import type { ProviderCondition } from '../../core/status.ts';
import type { ToWatcher } from './messages.ts';

/** Tells the watcher again and again what only a worker knows, and that it lives. */
export interface Reporter {
  /** A check came whose proxy does not say which route it chose. */
  unrouted(policy: string): void;
  /** Now, what is new. */
  report(): void;
  close(): void;
}

export interface ReporterOptions {
  readonly providers: () => readonly ProviderCondition[];
  readonly tell: (message: ToWatcher) => void;
  readonly timers: Timers;
}

const everyMs = 1000;
/** Ages of keys change by themselves, and are told now and then. */
const allEvery = 15;
const maxUnrouted = 1000;

export function createReporter({ providers, tell, timers }: ReporterOptions): Reporter {
  const unrouted = new Set<string>();
  let said = '';
  let turns = 0;
  let cancel = (): void => undefined;
  const report = (): void => {
    const now = providers();
    const text = JSON.stringify(now.map((condition) => ({ ...condition, keyAgeSeconds: undefined })));
    const isNews = text !== said || (now.length > 0 && turns % allEvery === 0);
    if (!isNews && unrouted.size === 0) return;
    tell({ kind: 'report', providers: isNews ? now : undefined, unrouted: [...unrouted] });
    said = text;
    unrouted.clear();
  };
  const next = (): void => {
    cancel = timers.after(everyMs, () => {
      turns++;
      tell({ kind: 'beat' });
      report();
      next();
    });
  };
  next();
  return {
    unrouted: (policy) => {
      if (unrouted.size < maxUnrouted) unrouted.add(policy);
    },
    report,
    close: () => cancel(),
  };
}

import { Failure } from '../../core/failure.ts';
import type { HttpClient, ReplayStore, Timers } from '../../core/ports.ts';
import type { ToWatcher, WatcherAnswer, WorkerQuestion } from './messages.ts';

/** What a worker has the watcher do, behind the ports of the engine. */
export interface WatcherPorts {
  /** One memory for all workers: a proof that was used at one of them was used. Denied with 503 where no answer comes in time. */
  readonly replays: ReplayStore;
  readonly getShared: NonNullable<HttpClient['getShared']>;
  readonly recall: NonNullable<HttpClient['recall']>;
  answered(number: number, answer: WatcherAnswer): void;
}

/** A request waits for it. */
const rememberMs = 1000;
/** On top of what the fetch itself may take. */
const transitMs = 1000;

export function createWatcherPorts(tell: (message: ToWatcher) => void, timers: Timers): WatcherPorts {
  const waiting = new Map<number, (answer: WatcherAnswer) => void>();
  let count = 0;
  const ask = (question: WorkerQuestion, timeoutMs: number): Promise<WatcherAnswer> =>
    new Promise((resolve) => {
      const number = ++count;
      const cancel = timers.after(timeoutMs, () => {
        waiting.delete(number);
        resolve({ kind: 'failure', code: 'watcher_silent', message: 'the process that watches does not answer' });
      });
      waiting.set(number, (answer) => {
        cancel();
        resolve(answer);
      });
      tell({ kind: 'question', number, question });
    });
  return {
    answered: (number, answer) => {
      waiting.get(number)?.(answer);
      waiting.delete(number);
    },
    replays: {
      remember: async (key, ttlMs) => {
        const answer = await ask({ kind: 'remember', key, ttlMs }, rememberMs);
        if (answer.kind === 'remembered') return answer.isFirst;
        throw new Failure('store_unavailable', answer.kind === 'failure' ? answer.message : 'no answer');
      },
    },
    getShared: async (url, limits) => {
      const answer = await ask({ kind: 'get', url, limits }, limits.timeoutMs + transitMs);
      if (answer.kind === 'body') return { body: answer.body, ageMs: answer.ageMs };
      throw answer.kind === 'failure'
        ? new Failure(answer.code, answer.message)
        : new Failure('no_answer', 'no answer');
    },
    recall: async (url, limits) => {
      const answer = await ask({ kind: 'recall', url, limits }, transitMs);
      return answer.kind === 'body' ? { body: answer.body, ageMs: answer.ageMs } : undefined;
    },
  };
}

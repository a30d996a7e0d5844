import { Failure } from '../../core/failure.ts';
import type { ReplayStore } from '../../core/ports.ts';
import type { WatcherAnswer, WorkerQuestion } from './messages.ts';
import type { SharedFetches } from './shared-fetches.ts';

/** Answers what workers ask of the one process that does it for all. Never rejects. */
export type AnswerQuestion = (question: WorkerQuestion) => Promise<WatcherAnswer>;

export function compileAnswers(fetches: SharedFetches, replays: ReplayStore): AnswerQuestion {
  const answer = async (question: WorkerQuestion): Promise<WatcherAnswer> => {
    switch (question.kind) {
      case 'remember':
        return { kind: 'remembered', isFirst: await replays.remember(question.key, question.ttlMs) };
      case 'get':
        return { kind: 'body', ...(await fetches.getShared(question.url, question.limits)) };
      case 'recall': {
        const found = await fetches.recall(question.url, question.limits);
        return found === undefined ? { kind: 'nothing' } : { kind: 'body', ...found };
      }
    }
  };
  return (question) => answer(question).catch(toFailure);
}

function toFailure(thrown: unknown): WatcherAnswer {
  if (thrown instanceof Failure) return { kind: 'failure', code: thrown.code, message: thrown.message };
  return { kind: 'failure', code: 'internal_error', message: 'the process that watches could not answer' };
}

import type { EndReason, WorkerLink } from './worker-link.ts';

/** How long a worker may take, milliseconds. */
const limits = {
  /** Until it takes connections. */
  start: 60_000,
  /** To say anything: it does so each second by itself, however much it has to do. */
  silence: 10_000,
  /** The same, where another one is being replaced: who does not serve well is better than nobody. */
  silenceOfMore: 60_000,
  /** To answer what it is asked each second. */
  answer: 60_000,
  /** To have a revision in force. A change of ten thousand policies takes some seconds, and its issuers' keys are waited for a second more. */
  revision: 60_000,
  /** To have everything in force. */
  whole: 300_000,
  /** After which a revision that is not in force is told. */
  late: 5000,
} as const;

export interface WorkerJudgement {
  /** It serves by an older revision longer than is usual. */
  readonly isLate: boolean;
  /** Why it has to be ended; undefined: it goes on. */
  readonly end: EndReason | undefined;
}

/** When it was started and what it is now, monotonic, and whether all others serve. */
export interface WorkerSituation {
  readonly bornAt: number;
  readonly now: number;
  readonly othersServe: boolean;
}

/** Whether a worker does what it has to. */
export function judgeWorker(
  link: Pick<WorkerLink, 'startedAt' | 'heardAt' | 'answeredAt' | 'waitingSince'>,
  { bornAt, now, othersServe }: WorkerSituation,
): WorkerJudgement {
  if (link.startedAt === undefined)
    return { isLate: false, end: now - bornAt > limits.start ? 'unstarted' : undefined };
  const waiting = link.waitingSince();
  const isLate = waiting !== undefined && now - waiting.at > limits.late;
  if (now - link.heardAt > (othersServe ? limits.silence : limits.silenceOfMore)) return { isLate, end: 'hung' };
  const allowed = waiting?.isWhole === true ? limits.whole : limits.revision;
  const isTooLate = waiting !== undefined && now - waiting.at > allowed;
  return { isLate, end: isTooLate || now - link.answeredAt > limits.answer ? 'late' : undefined };
}

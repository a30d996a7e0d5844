import type { EndReason, WorkerLink } from './worker-link.ts';

/** How long a worker may take, milliseconds. */
const limits = {
  /** Until it takes connections. */
  start: 60_000,
  /** To say anything: it is asked each second. */
  silence: 10_000,
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

/** Whether a worker does what it has to. `bornAt` and `now`: monotonic. */
export function judgeWorker(
  link: Pick<WorkerLink, 'startedAt' | 'heardAt' | 'waitingSince'>,
  bornAt: number,
  now: number,
): WorkerJudgement {
  if (link.startedAt === undefined)
    return { isLate: false, end: now - bornAt > limits.start ? 'unstarted' : undefined };
  const waiting = link.waitingSince();
  const isLate = waiting !== undefined && now - waiting.at > limits.late;
  if (now - link.heardAt > limits.silence) return { isLate, end: 'hung' };
  const allowed = waiting?.isWhole === true ? limits.whole : limits.revision;
  return { isLate, end: waiting !== undefined && now - waiting.at > allowed ? 'late' : undefined };
}

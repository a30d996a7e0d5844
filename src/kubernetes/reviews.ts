import { Failure, messageOf } from '../core/failure.ts';
import type { AccessQuestion, AccessReview } from '../core/kubernetes-review.ts';
import type {
  Clock,
  KubernetesReviews,
  Logger,
  Random,
  ReviewEvents,
  ReviewKind,
  ReviewResult,
  Timers,
} from '../core/ports.ts';
import { isApiFailure } from './api-failure.ts';
import type { ApiRequest, KubernetesApi } from './kubernetes-api.ts';
import { createReviewGate, reviewLimits, type ReviewGate, type ReviewLimits } from './review-gate.ts';
import { accessReviewRequest, readAccessReview, readTokenReview, tokenReviewRequest } from './review-messages.ts';

export interface ReviewOptions {
  /** Opens the way to the API server, one of its own that no watch shares; called when the first question is asked, and again where it rejects. */
  readonly open: () => Promise<KubernetesApi>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: ReviewEvents;
  readonly limits?: ReviewLimits;
}

export interface RunningReviews extends KubernetesReviews {
  close(): Promise<void>;
}

/** Asks the API server while requests wait for it. Answers are not remembered here; equal questions about access that are asked at once are one. */
export function createReviews(options: ReviewOptions): RunningReviews {
  const connection = createConnection(options.open);
  const token = createReviewer('token', connection, options);
  const access = createReviewer('access', connection, options);
  const asked = new Map<string, Promise<AccessReview>>();
  const askAccess = (question: AccessQuestion): Promise<AccessReview> =>
    access.ask(accessReviewRequest(question), readAccessReview, ({ allowed, denied }) => allowed && !denied);
  return {
    reviewToken: (text, audiences) =>
      token.ask(tokenReviewRequest(text, audiences), readTokenReview, ({ authenticated }) => authenticated),
    reviewAccess: (question) => {
      const key = JSON.stringify([question, [...question.user.extra]]);
      const known = asked.get(key);
      if (known !== undefined) return known;
      const answer = askAccess(question).finally(() => asked.delete(key));
      asked.set(key, answer);
      return answer;
    },
    failure: (kind) => (kind === 'token' ? token : access).failure(),
    close: () => connection.close(),
  };
}

interface Connection {
  get(): Promise<KubernetesApi>;
  close(): Promise<void>;
}

function createConnection(open: () => Promise<KubernetesApi>): Connection {
  let opening: Promise<KubernetesApi> | undefined;
  return {
    get: () => {
      const mine = (opening ??= open());
      mine.catch(() => {
        if (opening === mine) opening = undefined;
      });
      return mine;
    },
    close: async () => {
      const api = await opening?.catch(() => undefined);
      await api?.close();
    },
  };
}

interface Reviewer {
  ask<T>(request: ApiRequest, read: (answer: Awaited<Exchange>) => T, isGranted: (review: T) => boolean): Promise<T>;
  failure(): string | undefined;
}

type Exchange = ReturnType<KubernetesApi['request']>;

function createReviewer(kind: ReviewKind, connection: Connection, options: ReviewOptions): Reviewer {
  const { clock, timers, random, logger, events, limits = reviewLimits } = options;
  let failure: string | undefined;
  let isTold = false;
  const gate: ReviewGate = createReviewGate(limits, {
    clock,
    timers,
    random,
    onPause: (thrown) => {
      const error = sayWhyNotReviewed(kind, thrown);
      if (!isTold)
        logger.warn(
          { review: kind, error },
          'the API server does not answer reviews; requests that need one are denied',
        );
      isTold = true;
    },
    onAnswer: () => {
      if (isTold) logger.info({ review: kind }, 'the API server answers reviews again');
      isTold = false;
    },
  });
  const exchange = async (request: ApiRequest): Exchange => {
    const api = await connection.get();
    try {
      return await api.request(request);
    } catch (thrown) {
      // Credentials that were renewed, or a connection that was kept and had ended: a review may be asked for twice.
      if (isApiFailure(thrown, 'api_unauthorized', 'api_unreachable')) return await api.request(request);
      throw thrown;
    }
  };
  return {
    ask: async (request, read, isGranted) => {
      let began: number | undefined;
      const note = (result: ReviewResult): void =>
        events.reviewed(kind, result, began === undefined ? 0 : clock.monotonic() - began);
      try {
        const review = await gate.run(async () => {
          began = clock.monotonic();
          return read(await exchange(request));
        });
        failure = undefined;
        note(isGranted(review) ? 'granted' : 'refused');
        return review;
      } catch (thrown) {
        note(began === undefined ? 'skipped' : 'failed');
        const why = sayWhyNotReviewed(kind, thrown);
        if (began !== undefined) failure = why;
        throw new Failure('review_unavailable', why);
      }
    },
    failure: () => failure,
  };
}

const resources = { token: 'tokenreviews', access: 'subjectaccessreviews' } as const;

/** Why there is no answer, with the remedy where a right is missing. What a server says of a question that it does not take could quote it. */
function sayWhyNotReviewed(kind: ReviewKind, thrown: unknown): string {
  if (!(thrown instanceof Failure)) return 'the review failed';
  if (isApiFailure(thrown, 'api_refused', 'api_conflict', 'api_gone', 'api_not_found'))
    return `the API server does not take the review (${thrown.code})`;
  if (!isApiFailure(thrown, 'api_forbidden')) return messageOf(thrown);
  return `the right to create ${resources[kind]} is missing; the chart grants it with rbac.reviews, to a sidecar with sidecar.reviews and the service account of its pod in sidecar.serviceAccounts (${messageOf(thrown)})`;
}

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { AccessQuestion } from '../../../src/core/kubernetes-review.ts';
import type { Logger } from '../../../src/core/ports.ts';
import { ApiFailure, type ApiFailureCode } from '../../../src/kubernetes/api-failure.ts';
import type { ApiRequest, KubernetesApi } from '../../../src/kubernetes/kubernetes-api.ts';
import { createReviews, type RunningReviews } from '../../../src/kubernetes/reviews.ts';
import { reviewLimits } from '../../../src/kubernetes/review-gate.ts';
import { createManualTime, settle } from './manual-time.ts';

const limits = { ...reviewLimits, maxAtOnce: 2, maxWaiting: 2 };
const good: JsonObject = { status: { authenticated: true, user: { username: 'x' }, audiences: ['orders'] } };
const question: AccessQuestion = {
  user: { username: 'alice', uid: 'u1', groups: ['devs'], extra: new Map([['pod', ['a']]]) },
  attributes: {
    kind: 'resource',
    fields: { group: '', resource: 'pods', subresource: '', verb: 'get', namespace: 'shop', name: '' },
  },
};

function stand(opens: () => Promise<void> = () => Promise.resolve()) {
  const time = createManualTime();
  const requests: ApiRequest[] = [];
  const lines: string[] = [];
  const told: string[] = [];
  let answer: () => Promise<JsonObject> = () => Promise.resolve(good);
  const log = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const api: KubernetesApi = {
    request: (request) => {
      requests.push(request);
      return answer();
    },
    watch: () => Promise.reject(new Error('no watch')),
    close: async () => undefined,
  };
  const reviews: RunningReviews = createReviews({
    ...time,
    open: () => opens().then(() => api),
    random: { id: () => '0', fraction: () => 1 },
    logger,
    events: { reviewed: (kind, result) => void told.push(`${kind} ${result}`) },
    limits,
  });
  const ask = (token = 't'): Promise<string> =>
    reviews.reviewToken(token, ['orders']).then(
      ({ authenticated }) => String(authenticated),
      (thrown: unknown) => (thrown instanceof Error ? thrown.message : ''),
    );
  const fails = (code: ApiFailureCode, retryAfterMs?: number): void => {
    const details = retryAfterMs === undefined ? {} : { retryAfterMs };
    answer = () => Promise.reject(new ApiFailure(code, `POST /x: ${code}`, details));
  };
  return { time, requests, lines, told, reviews, ask, fails, answers: (next: typeof answer) => void (answer = next) };
}

describe('what is asked', () => {
  it('is a TokenReview with the audiences, and its answer is read', async () => {
    const { reviews, requests } = stand();
    expect(await reviews.reviewToken('secret', ['orders'])).toEqual({
      authenticated: true,
      user: { username: 'x', uid: '', groups: [], extra: new Map() },
      audiences: ['orders'],
      hasError: false,
    });
    expect(requests).toEqual([
      {
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/tokenreviews',
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          metadata: {},
          spec: { token: 'secret', audiences: ['orders'] },
        },
      },
    ]);
  });

  it('is a SubjectAccessReview with all that is known of the user, and without what is empty', async () => {
    const { reviews, requests, answers } = stand();
    answers(() => Promise.resolve({ status: { allowed: true } }));
    expect(await reviews.reviewAccess(question)).toEqual({ allowed: true, denied: false, hasError: false });
    expect(requests.map(({ path, body }) => [path, body])).toEqual([
      [
        '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          metadata: {},
          spec: {
            user: 'alice',
            uid: 'u1',
            groups: ['devs'],
            extra: { pod: ['a'] },
            resourceAttributes: { resource: 'pods', verb: 'get', namespace: 'shop' },
          },
        },
      ],
    ]);
  });

  it('is asked once for equal questions at the same time, and again afterwards', async () => {
    const { reviews, requests, answers } = stand();
    answers(() => Promise.resolve({ status: { allowed: true } }));
    await Promise.all([reviews.reviewAccess(question), reviews.reviewAccess({ ...question })]);
    expect(requests).toHaveLength(1);
    await reviews.reviewAccess({ ...question, user: { ...question.user, extra: new Map() } });
    await reviews.reviewAccess(question);
    expect(requests).toHaveLength(3);
  });

  it.each<readonly [string, JsonObject, object]>([
    ['a text is not true', { authenticated: 'true' }, { authenticated: false }],
    ['an error is one', { authenticated: true, error: 'x' }, { authenticated: true, hasError: true }],
    ['audiences that are none', { authenticated: true, audiences: 'orders' }, { audiences: [] }],
  ])('of a token: %s', async (_title, status, expected) => {
    const { reviews, answers } = stand();
    answers(() => Promise.resolve({ status }));
    expect(await reviews.reviewToken('t', ['orders'])).toMatchObject(expected);
  });

  it('has no answer where there is no status', async () => {
    const { ask, answers } = stand();
    answers(() => Promise.resolve({}));
    expect(await ask()).toBe('the review in the answer has no status');
  });
});

describe('a server that does not answer', () => {
  it('is left alone after three failures, asked by one question after a pause, and trusted again', async () => {
    const { ask, fails, answers, time, requests, told, lines } = stand();
    fails('api_timeout');
    for (let i = 0; i < 3; i++) expect(await ask()).toBe('POST /x: api_timeout');
    for (let i = 0; i < 5; i++) expect(await ask()).toContain('is not asked for a moment');
    expect(requests).toHaveLength(3);
    await time.advance(500);
    const both = [ask(), ask()];
    expect((await Promise.all(both)).filter((one) => one === 'POST /x: api_timeout')).toHaveLength(1);
    expect(requests).toHaveLength(4);
    // The pause is longer now.
    await time.advance(600);
    expect(await ask()).toContain('is not asked for a moment');
    await time.advance(400);
    answers(() => Promise.resolve(good));
    expect(await ask()).toBe('true');
    expect(await ask()).toBe('true');
    expect(told.filter((one) => one === 'token skipped')).toHaveLength(7);
    expect(lines.map((line) => line.split(' {')[0])).toEqual([
      'the API server does not answer reviews; requests that need one are denied',
      'the API server answers reviews again',
    ]);
  });

  it('that asks to wait is not asked before', async () => {
    const { ask, fails, time, requests } = stand();
    fails('api_throttled', 3000);
    await ask();
    await time.advance(2900);
    await ask();
    expect(requests).toHaveLength(1);
    await time.advance(100);
    await ask();
    expect(requests).toHaveLength(2);
  });

  it('to what it refuses for what it is, is asked about the next all the same', async () => {
    const { ask, fails, answers } = stand();
    fails('api_refused');
    for (let i = 0; i < 5; i++) expect(await ask()).toBe('the API server does not take the review (api_refused)');
    answers(() => Promise.resolve(good));
    expect(await ask()).toBe('true');
  });

  it('lets a question wait for its turn, for a bounded number and time', async () => {
    const { ask, answers, time, requests } = stand();
    answers(() => new Promise(() => undefined));
    void ask();
    void ask();
    await settle();
    const waiting = [ask(), ask()];
    expect(await ask()).toBe('too many questions wait for the API server');
    await time.advance(1000);
    expect(await Promise.all(waiting)).toEqual(Array(2).fill('too many questions wait for the API server'));
    expect(requests).toHaveLength(2);
  });

  it('is asked again at once where a kept connection had ended, and once', async () => {
    const { ask, fails, requests } = stand();
    fails('api_unreachable');
    await ask();
    expect(requests).toHaveLength(2);
  });
});

it('says which right is missing and who grants it, keeps it until an answer comes, and has no token in it', async () => {
  const { ask, reviews, fails, answers, time, lines } = stand();
  fails('api_forbidden');
  const why =
    'the right to create tokenreviews is missing; the chart grants it with rbac.reviews, to a sidecar with sidecar.reviews and the service account of its pod in sidecar.serviceAccounts (POST /x: api_forbidden)';
  expect(await ask('canary-token')).toBe(why);
  expect([reviews.failure('token'), reviews.failure('access')]).toEqual([why, undefined]);
  expect(lines.join('\n')).not.toContain('canary-token');
  await time.advance(500);
  answers(() => Promise.resolve(good));
  await ask();
  expect(reviews.failure('token')).toBeUndefined();
});

it('opens its connection with the first question, and tries again where that fails', async () => {
  let opened = 0;
  const { ask } = stand(() =>
    opened++ === 0 ? Promise.reject(new ApiFailure('api_config', 'no pod')) : Promise.resolve(),
  );
  await settle();
  expect(opened).toBe(0);
  expect(await ask()).toBe('no pod');
  expect(await ask()).toBe('true');
  expect(opened).toBe(2);
});

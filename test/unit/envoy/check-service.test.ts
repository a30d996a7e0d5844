import { describe, expect, test } from 'vitest';
import { allow, denial, deny, type Decision } from '../../../src/core/decision.ts';
import { Failure } from '../../../src/core/failure.ts';
import type { Authorizer } from '../../../src/core/ports.ts';
import { checkBudget, checkService } from '../../../src/envoy/check-service.ts';
import { createCheckRequestDecoder } from '../../../src/envoy/decode-check-request.ts';
import { createCheckResponseEncoder } from '../../../src/envoy/encode-check-response.ts';
import { lastResortDeny } from '../../../src/envoy/last-resort.ts';
import type { UnaryCall } from '../../../src/grpc/transport.ts';
import {
  about,
  authorizer,
  checkRequest,
  decodeAnswer,
  laterDecision,
  manualTimers,
  reasonOf,
  recordingLog,
  recordingSink,
  unchanged,
} from './envoy-fixtures.ts';

const waiting: UnaryCall = { remainingMs: undefined, cancelled: false, peer: undefined };

function serviceOf(ours: Authorizer, checkTimeoutMs?: number) {
  const timers = manualTimers();
  const log = recordingLog();
  const sink = recordingSink();
  let now = 1000;
  const clock = { now: () => 0, monotonic: () => (now += 7) };
  const method = checkService({
    authorizer: ours,
    decoder: createCheckRequestDecoder(),
    encoder: createCheckResponseEncoder(),
    timers,
    clock,
    decisions: sink,
    log,
    ...(checkTimeoutMs === undefined ? {} : { checkTimeoutMs }),
  });
  return { method, timers, log, recorded: sink.recorded };
}

/** The reason in an answer that must be there at once. */
function reasonNow(answer: Uint8Array | Promise<Uint8Array>): string | undefined {
  if (answer instanceof Promise) throw new Error('not at once');
  expect(decodeAnswer(answer).status?.code).toBeGreaterThan(0);
  return reasonOf(decodeAnswer(answer));
}

describe('a check', () => {
  test('whose decision is there is answered at once, without a timer', () => {
    const seen: string[] = [];
    const { method, timers } = serviceOf(
      authorizer((raw) => {
        seen.push(`${raw.method} ${raw.host}${raw.target}`);
        return allow(about, { ...unchanged, setHeaders: [['x-user', 'ann']] });
      }),
    );
    const answer = method.handle(checkRequest(), waiting);
    expect(answer).toBeInstanceOf(Uint8Array);
    expect(decodeAnswer(answer as Uint8Array).okResponse?.headers?.[0]?.header).toEqual({
      key: 'x-user',
      value: 'ann',
    });
    expect(seen).toEqual(['GET shop.example/orders']);
    expect(timers.pending()).toEqual([]);
  });

  test('whose decision comes later is answered then, and its timer is gone', async () => {
    const later = laterDecision();
    const { method, timers } = serviceOf(authorizer(() => later.promise));
    const answer = method.handle(checkRequest(), waiting);
    expect(timers.pending()).toEqual([5000]);
    later.decide(allow(about, unchanged));
    expect(decodeAnswer(await answer).status).toEqual({ code: 0 });
    expect(timers.pending()).toEqual([]);
  });

  test('whose decision does not come in time is denied, and what comes after that changes nothing', async () => {
    const later = laterDecision();
    const { method, timers } = serviceOf(
      authorizer(() => later.promise),
      250,
    );
    const answer = method.handle(checkRequest(), { remainingMs: 1000, cancelled: false, peer: undefined });
    expect(timers.pending()).toEqual([250]);
    timers.fire();
    later.decide(allow(about, unchanged));
    expect(reasonNow(await answer)).toBe('deadline_exceeded');
  });

  test('that nobody waits for any more is not decided', () => {
    let asked = 0;
    const { method } = serviceOf(
      authorizer(() => {
        asked++;
        return allow(about, unchanged);
      }),
    );
    expect(method.handle(checkRequest(), { remainingMs: 10, cancelled: true, peer: undefined })).toBe(lastResortDeny);
    expect(asked).toBe(0);
  });

  test('on a path that is empty gets no change of its query', () => {
    const removing = allow(about, { ...unchanged, removeQueryParameters: ['token'] });
    const { method } = serviceOf(authorizer(() => removing));
    const parameters = (path: string) =>
      decodeAnswer(method.handle(checkRequest({ path }), waiting) as Uint8Array).okResponse?.queryParametersToRemove;
    expect([parameters(''), parameters('/x')]).toEqual([undefined, ['token']]);
  });
});

describe('a check that waits, where too many decisions do,', () => {
  const bytes = checkRequest();
  /** A connection that has begun so many decisions, none of which is there. */
  function busy(count: number) {
    let left = count;
    const decide: (() => void)[] = [];
    const peer = { count: 0, bytes: 0 };
    const ours = authorizer(() => {
      if (left-- <= 0) return allow(about, unchanged);
      const later = laterDecision();
      decide.push(() => later.decide(allow(about, unchanged)));
      return later.promise;
    });
    const service = serviceOf(ours);
    const call = (): UnaryCall => ({ remainingMs: undefined, cancelled: false, peer });
    const handle = () => service.method.handle(bytes, call());
    return { ...service, peer, decide, call, handle };
  }

  test('is denied at once, what is decided at once is not, and there is room again when a decision is there', async () => {
    const { handle, peer, decide, timers } = busy(4098);
    for (let i = 0; i < 4096; i++) expect(handle()).toBeInstanceOf(Promise);
    expect([reasonNow(handle()), peer.count, timers.pending().length]).toEqual(['overloaded', 4097, 4096]);
    decide.forEach((one, i) => void (i < 2 && one()));
    await Promise.resolve();
    expect(peer.count).toBe(4095);
    expect(handle()).toBeInstanceOf(Promise);
    expect(decodeAnswer(handle() as Uint8Array).status).toEqual({ code: 0 });
  });

  test('is not even asked about where twice as many do', async () => {
    const { handle, peer, decide } = busy(9000);
    const answers = Array.from({ length: 9000 }, () => handle());
    expect([peer.count, decide.length]).toEqual([8192, 8192]);
    expect(answers.slice(4096).map((answer) => reasonNow(answer))).toEqual(
      Array.from({ length: 4904 }, () => 'overloaded'),
    );
    for (const one of decide) one();
    for (const answer of answers) await answer;
    expect(peer).toEqual({ count: 0, bytes: 0 });
  });

  test('counts though it was answered for want of time or given up, and keeps no message then', async () => {
    const { method, peer, decide, timers, call, recorded } = busy(2);
    const large = checkRequest({ body: 'x'.repeat(100_000), headers: { a: 'b' } });
    const [late, given] = [call(), call()];
    const answers = [method.handle(large, late), method.handle(large, given)];
    expect(peer.bytes).toBeGreaterThan(200_000);
    given.onCancelled?.();
    expect(await answers[1]).toBe(lastResortDeny);
    timers.fire();
    expect(reasonNow(await (answers[0] ?? lastResortDeny))).toBe('deadline_exceeded');
    expect([peer.count, peer.bytes < 10_000, timers.pending(), recorded]).toEqual([
      2,
      true,
      [],
      ['deadline_exceeded 14'],
    ]);
    for (const one of decide) one();
    await Promise.resolve();
    expect(peer).toEqual({ count: 0, bytes: 0 });
  });
});

describe('the answer is a deny in the message', () => {
  test.each([
    ['nothing', new Uint8Array()],
    ['garbage', Buffer.from('garbage')],
    ['half a message', checkRequest().subarray(0, 20)],
  ])('where what came is %s', (_, bytes) => {
    const { method } = serviceOf(authorizer());
    expect(reasonNow(method.handle(bytes, waiting))).toBe('request_undecodable');
  });

  test('where the authorizer throws, and the log says what without quoting it', () => {
    const { method, log } = serviceOf(
      authorizer(() => {
        JSON.parse('secret-token');
        throw new Error('unreachable');
      }),
    );
    expect(reasonNow(method.handle(checkRequest(), waiting))).toBe('internal_error');
    expect(log.lines).toEqual([
      {
        level: 'error',
        message: 'a check failed and is denied',
        fields: { error: 'SyntaxError', at: expect.arrayContaining([expect.stringContaining('JSON.parse')]) },
      },
    ]);
    expect(JSON.stringify(log.lines)).not.toContain('secret');
  });

  test('where the authorizer rejects', async () => {
    const { method, log } = serviceOf(
      authorizer(() => Promise.reject(new Failure('store_down', 'The store is down.'))),
    );
    expect(reasonNow(await method.handle(checkRequest(), waiting))).toBe('internal_error');
    expect(log.lines[0]?.fields).toEqual({ error: 'store_down', reason: 'The store is down.' });
  });

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['an empty object', {}],
    ['of a third kind', { ...allow(about, unchanged), kind: 'maybe' }],
    ['an allow without its changes', { kind: 'allow' }],
  ])('where the decision is %s', (_, decision) => {
    const { method } = serviceOf(authorizer(() => decision as Decision));
    expect(reasonNow(method.handle(checkRequest(), waiting))).toBe('internal_error');
  });

  test('where a promise brings what is no decision', async () => {
    const { method } = serviceOf(authorizer(() => Promise.resolve(undefined as unknown as Decision)));
    expect(reasonNow(await method.handle(checkRequest(), waiting))).toBe('internal_error');
  });

  test('where a header of an allow may not leave', () => {
    const unsafe = allow(about, { ...unchanged, setHeaders: [['x-user', 'a\r\nx-admin: true']] });
    const { method, log } = serviceOf(authorizer(() => unsafe));
    expect(reasonNow(method.handle(checkRequest(), waiting))).toBe('internal_error');
    expect(log.lines[0]?.fields['error']).toBe('unsafe_header');
  });

  test('where a header of a deny may not leave', () => {
    const { method } = serviceOf(authorizer(() => deny(about, denial('token_expired', 'x', ['a\nb']))));
    expect(reasonNow(method.handle(checkRequest(), waiting))).toBe('internal_error');
  });
});

describe('what is recorded is what is answered', () => {
  const unsafe = allow(about, { ...unchanged, setHeaders: [['x-user', 'a\nb']] });

  test.each([
    ['an allow', () => allow(about, unchanged), 'allow 7'],
    ['a deny', () => deny(about, denial('no_rule')), 'no_rule 7'],
    ['the deny for an allow that could not be written', () => unsafe, 'internal_error 7'],
  ])('%s', (_, decide, expected) => {
    const { method, recorded } = serviceOf(authorizer(decide));
    void method.handle(checkRequest(), waiting);
    expect(recorded).toEqual([expected]);
  });

  test('the deny for what could not be decoded', () => {
    const { method, recorded } = serviceOf(authorizer());
    void method.handle(new Uint8Array(), waiting);
    expect(recorded).toEqual(['request_undecodable 7']);
  });

  test('the deny for a decision that comes too late, and not the decision', async () => {
    const later = laterDecision();
    const { method, timers, recorded } = serviceOf(authorizer(() => later.promise));
    const answer = method.handle(checkRequest(), waiting);
    timers.fire();
    later.decide(allow(about, unchanged));
    await answer;
    await later.promise;
    expect(recorded).toEqual(['deadline_exceeded 7']);
  });

  test('and a sink that throws changes no answer', () => {
    const log = recordingLog();
    const method = checkService({
      authorizer: authorizer(),
      decoder: createCheckRequestDecoder(),
      encoder: createCheckResponseEncoder(),
      timers: manualTimers(),
      clock: { now: () => 0, monotonic: () => 0 },
      decisions: {
        record() {
          throw new Error('secret');
        },
      },
      log,
    });
    expect(decodeAnswer(method.handle(checkRequest(), waiting) as Uint8Array).status).toEqual({ code: 0 });
    expect(log.lines).toMatchObject([{ level: 'error', message: 'a decision could not be recorded' }]);
    expect(JSON.stringify(log.lines)).not.toContain('secret');
  });
});

describe('the last resort is answered', () => {
  const broken = (): never => {
    throw new Error('broken');
  };

  test('where even refusing throws', () => {
    const { method } = serviceOf({ check: broken, refuse: broken });
    expect(method.handle(checkRequest(), waiting)).toBe(lastResortDeny);
    expect(method.fallback).toBe(lastResortDeny);
  });

  test('where a refusal is an allow', () => {
    const { method } = serviceOf({ check: broken, refuse: () => allow(about, unchanged) });
    expect(method.handle(checkRequest(), waiting)).toBe(lastResortDeny);
  });

  test('where even the deny of a refusal cannot be written', () => {
    const { method } = serviceOf({ check: broken, refuse: () => ({ ...deny(about, denial('denied')), status: 200 }) });
    expect(method.handle(checkRequest(), waiting)).toBe(lastResortDeny);
  });

  test('where everything throws', () => {
    const method = checkService({
      authorizer: { check: broken, refuse: broken },
      decoder: { decode: broken },
      encoder: { allow: broken, deny: broken },
      timers: manualTimers(),
      clock: { now: broken, monotonic: broken },
      decisions: { record: broken },
      log: { debug: broken, info: broken, warn: broken, error: broken },
    });
    expect(method.handle(checkRequest(), waiting)).toBe(lastResortDeny);
  });
});

test.each([
  [5000, undefined, 5000],
  [5000, 200, 180],
  [5000, 30, 25],
  [5000, 3, 0],
  [5000, -50, 0],
  [5000, 4000, 3900],
  [5000, 600_000, 5000],
  [100, 200, 100],
])('of a setting of %i ms and %s ms left at the caller, %i ms are for the decision', (setting, remaining, budget) => {
  expect(checkBudget(setting, remaining)).toBe(budget);
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { denial } from '../../../src/core/decision.ts';
import { anonymous } from '../../../src/core/identity.ts';
import type { DecisionSink } from '../../../src/core/ports.ts';
import { createDecisionLog, type DecisionLogOptions } from '../../../src/observe/decision-log.ts';
import { createLogger } from '../../../src/observe/logger.ts';
import {
  allowed,
  canary,
  createLines,
  denied,
  frozenClock,
  request,
  scriptedRandom,
  type Lines,
} from './observe-fixtures.ts';

function createLog(options: Partial<DecisionLogOptions> = {}): { readonly sink: DecisionSink; readonly lines: Lines } {
  const lines = createLines();
  const where = { destination: lines, clock: frozenClock };
  return {
    sink: createDecisionLog({ ...where, which: 'all', sample: 1, random: scriptedRandom(0), ...options }),
    lines,
  };
}

describe('a line', () => {
  test('an allow says who may do what by which rule', () => {
    const { sink, lines } = createLog();
    sink.record(allowed(), request(), 0.0873);
    expect(lines.objects()).toEqual([
      {
        level: 'info',
        time: '2026-03-01T12:00:00.042Z',
        id: '4b8e7a52-0f0e-4a51-8f0e-1d2c3b4a5968',
        decision: 'allow',
        code: 'ok',
        status: 200,
        policy: 'shop/orders',
        rule: 'read',
        provider: 'okta',
        subject: 'alice',
        method: 'GET',
        host: 'api.example.com',
        path: '/orders/17',
        clientIp: '203.0.113.9',
        durationUs: 87,
        msg: 'decision',
      },
    ]);
  });

  test('names who connected beside who called', () => {
    const { sink, lines } = createLog();
    const decision = allowed();
    const peer = { ...decision.about.identity, subject: 'spiffe://cluster.local/ns/shop/sa/web' };
    sink.record({ ...decision, about: { ...decision.about, peer } }, request(), 1);
    expect(lines.objects()).toMatchObject([{ subject: 'alice', peer: 'spiffe://cluster.local/ns/shop/sa/web' }]);
  });

  test('a deny says why', () => {
    const { sink, lines } = createLog();
    const reason = 'The identity lacks a role that the rule asks for.';
    const decision = denied('role_missing');
    sink.record({ ...decision, denial: denial('role_missing', reason) }, request(), 1);
    expect(lines.objects()).toMatchObject([
      { decision: 'deny', code: 'role_missing', message: reason, status: 403, durationUs: 1000 },
    ]);
  });

  test('a deny of a credential says whose provider judged it, and of a revoked one whose it was and who revoked it', () => {
    const { sink, lines } = createLog();
    const refused = { provider: 'staff' };
    sink.record(denied('password_rejected', { identity: anonymous, refused }), request(), 1);
    const revoked = { provider: 'okta', subject: 'x'.repeat(1000), revokedBy: 'admin' } as const;
    sink.record(denied('token_revoked', { identity: anonymous, refused: revoked }), request(), 1);
    expect(lines.objects()).toMatchObject([
      { code: 'password_rejected', provider: 'staff', subject: '' },
      { code: 'token_revoked', provider: 'okta', subject: `${'x'.repeat(256)}…`, revokedBy: 'admin' },
    ]);
    expect(Object.keys(lines.objects()[0] ?? {})).not.toContain('revokedBy');
  });

  test('a request that could not be read leaves its fields out', () => {
    const { sink, lines } = createLog();
    sink.record(denied('request_undecodable', { policy: '', rule: '', identity: anonymous }), undefined, 0);
    expect(Object.keys(lines.objects()[0] ?? {})).toEqual([
      'level',
      'time',
      'id',
      'decision',
      'code',
      'message',
      'status',
      'policy',
      'rule',
      'provider',
      'subject',
      'durationUs',
      'msg',
    ]);
  });

  test('of a request that is refused as it is read it says who sent it, and never the path', () => {
    const { sink, lines } = createLog();
    const about = { policy: '', rule: '', identity: anonymous };
    const sender = { method: 'G"\nT', host: 'api.example.com', clientIp: '203.0.113.9' };
    sink.record(denied('path_not_canonical', { ...about, sender }), undefined, 0);
    const unknown = { method: 'x'.repeat(1000), host: undefined, clientIp: undefined };
    sink.record(denied('host_not_canonical', { ...about, sender: unknown }), undefined, 0);
    expect(lines.objects()).toMatchObject([
      { code: 'path_not_canonical', ...sender },
      { code: 'host_not_canonical', method: `${'x'.repeat(256)}…` },
    ]);
    expect(
      lines
        .objects()
        .flatMap((line) => Object.keys(line ?? {}))
        .filter((key) => /path|host|clientIp/.test(key)),
    ).toEqual(['host', 'clientIp']);
  });

  test('nothing of headers, query, claims or challenges is in it', () => {
    const { sink, lines } = createLog();
    sink.record(allowed(), request(), 1);
    sink.record(denied('token_expired'), request(), 1);
    expect(lines.texts.join('')).not.toContain(canary);
    // The control: the canary is in what was recorded.
    expect(JSON.stringify([allowed(), denied('token_expired'), request().rawQuery])).toContain(canary);
  });

  test('what a client chooses cannot break the line, and is cut where it is long', () => {
    const { sink, lines } = createLog();
    const long = 'x'.repeat(100_000);
    sink.record(allowed(), request({ method: 'G"\nT', path: `/${long}`, host: long }), 1);
    expect(lines.texts).toHaveLength(1);
    expect(lines.texts[0]?.indexOf('\n')).toBe((lines.texts[0]?.length ?? 0) - 1);
    expect(lines.objects()).toMatchObject([
      { method: 'G"\nT', path: `/${'x'.repeat(2047)}…`, host: `${'x'.repeat(256)}…` },
    ]);
  });
});

describe('which decisions', () => {
  test('all: each gets its line', () => {
    const { sink, lines } = createLog({ which: 'all' });
    sink.record(allowed(), request(), 1);
    sink.record(denied('denied'), request(), 1);
    expect(lines.objects()).toMatchObject([{ decision: 'allow' }, { decision: 'deny' }]);
  });

  test('denied: only denials', () => {
    const { sink, lines } = createLog({ which: 'denied' });
    sink.record(allowed(), request(), 1);
    sink.record(denied('denied'), request(), 1);
    expect(lines.objects()).toMatchObject([{ decision: 'deny' }]);
  });

  test('none: not even denials', () => {
    const { sink, lines } = createLog({ which: 'none' });
    sink.record(allowed(), request(), 1);
    sink.record(denied('denied'), request(), 1);
    expect(lines.texts).toEqual([]);
  });

  test('a sample takes its part of the allowed requests and every denial', () => {
    const { sink, lines } = createLog({ sample: 0.5, random: scriptedRandom(0.49, 0.5, 0.1, 0.9) });
    for (let i = 0; i < 4; i++) sink.record(allowed(), request(), 1);
    for (let i = 0; i < 4; i++) sink.record(denied('denied'), request(), 1);
    expect(lines.objects().map((line) => (line as { decision: string }).decision)).toEqual([
      'allow',
      'allow',
      'deny',
      'deny',
      'deny',
      'deny',
    ]);
  });

  test('a sample of 0 keeps denials', () => {
    const { sink, lines } = createLog({ sample: 0, random: scriptedRandom(0) });
    sink.record(allowed(), request(), 1);
    sink.record(denied('denied'), request(), 1);
    expect(lines.objects()).toMatchObject([{ decision: 'deny' }]);
  });
});

test('a line says what the service log would write, in the same order, whatever the texts are', () => {
  const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: 'grapheme', maxLength: 20 }));
  const lone = fc.constantFrom('\ud800', 'a\udfff', '"', '\\', '\u0000', '\u2028', '\u007f', '');
  fc.assert(
    fc.property(fc.array(fc.oneof(texts, lone), { minLength: 8, maxLength: 8 }), fc.nat(), (values, duration) => {
      const [id = '', policy = '', rule = '', subject = '', method = '', host = '', path = '', message = ''] = values;
      const { identity } = allowed().about;
      const decision = denied('no_rule', { id, policy, rule, identity: { ...identity, subject } });
      const { sink, lines } = createLog();
      sink.record(
        { ...decision, denial: denial('no_rule', message) },
        request({ method, host, path, clientIp: undefined }),
        duration / 1000,
      );
      const reference = createLines();
      const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text);
      createLogger({ level: 'info', clock: frozenClock, destination: reference }).info(
        {
          id,
          decision: 'deny',
          code: 'no_rule',
          message: cut(message, 256),
          status: 403,
          policy,
          rule,
          provider: identity.provider,
          subject: cut(subject, 256),
          method: cut(method, 256),
          host: cut(host, 256),
          path,
          durationUs: duration,
        },
        'decision',
      );
      const entries = (log: Lines): unknown => log.objects().map((line) => Object.entries(line as object));
      expect(entries(lines)).toEqual(entries(reference));
      expect(lines.texts.map((line) => line.indexOf('\n'))).toEqual([(lines.texts[0] ?? '').length - 1]);
    }),
    { numRuns: 500 },
  );
});

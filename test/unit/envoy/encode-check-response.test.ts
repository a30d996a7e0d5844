import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allow, denial, deny, type Decision, type Deny, type HeaderEntry } from '../../../src/core/decision.ts';
import { reasons, type ReasonCode } from '../../../src/core/reason.ts';
import { createCheckResponseEncoder, encodeDecision } from '../../../src/envoy/encode-check-response.ts';
import { lastResortDeny } from '../../../src/envoy/last-resort.ts';
import { about, allowed, decodeAnswer, metadataOf, unchanged, type Answer } from './envoy-fixtures.ts';

const encoder = createCheckResponseEncoder();
const codes = Object.keys(reasons) as ReasonCode[];
const set = (key: string, value: string) => ({ header: { key, value }, append: { value: false }, appendAction: 2 });
const add = (key: string, value: string) => ({ header: { key, value }, append: { value: true }, appendAction: 0 });

function answered(decision: Decision, target = '/orders'): Answer {
  return decodeAnswer(encodeDecision(encoder, decision, target));
}

/** The code of the Failure that the encoder throws; undefined where it answers. */
function refusal(decision: Decision): string | undefined {
  try {
    encodeDecision(encoder, decision, '/');
    return undefined;
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
}

const setting = (...setHeaders: HeaderEntry[]) => allow(about, { ...unchanged, setHeaders });

describe('an allow', () => {
  test('overwrites, removes and adds, each said explicitly', () => {
    const upstream = {
      setHeaders: [
        ['x-user', 'ann'],
        ['x-roles', ''],
      ],
      removeHeaders: ['authorization', 'x_user', 'x-user'],
      removeQueryParameters: ['access_token'],
    } as const;
    const headers = [
      ['cache-control', 'no-store'],
      ['vary', 'a'],
      ['vary', 'b'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ] as const;
    expect(answered(allow(about, upstream, headers))).toEqual({
      status: { code: 0 },
      okResponse: {
        headers: [set('x-user', 'ann'), set('x-roles', '')],
        headersToRemove: ['authorization', 'x_user', 'x-envoy-auth-failure-mode-allowed'],
        queryParametersToRemove: ['access_token'],
        responseHeadersToAdd: [
          set('cache-control', 'no-store'),
          set('vary', 'a, b'),
          add('set-cookie', 'a=1'),
          add('set-cookie', 'b=2'),
        ],
      },
      dynamicMetadata: metadataOf('ok'),
    });
  });

  test('that changes nothing still has its status and takes off the header of the failure mode, once', () => {
    expect(answered(allow(about, unchanged))).toEqual(allowed);
    const removeHeaders = ['x-envoy-auth-failure-mode-allowed'];
    expect(answered(allow(about, { ...unchanged, removeHeaders }))).toEqual(allowed);
  });

  test('leaves the query alone where there is no path', () => {
    const decision = allow(about, { ...unchanged, removeQueryParameters: ['token'] });
    expect(answered(decision, '').okResponse?.queryParametersToRemove).toBeUndefined();
    expect(answered(decision, '/a').okResponse?.queryParametersToRemove).toEqual(['token']);
  });
});

describe('a deny', () => {
  test.each(codes)('for %s has a code that is not 0, and its own HTTP status', (code) => {
    const answer = answered(deny(about, denial(code)));
    expect(answer.status?.code).toBeGreaterThan(0);
    expect(answer.deniedResponse?.status?.code).toBe(reasons[code].status);
    expect(answer.okResponse).toBeUndefined();
  });

  test('carries every challenge as its own field, the reason, and the response headers that are not its own', () => {
    const decision = deny(
      about,
      denial('token_expired', 'The token is past its end.', ['Bearer a="1"', 'DPoP b="2"']),
      {
        headers: [
          ['x-frame-options', 'DENY'],
          ['content-type', 'text/html'],
          ['www-authenticate', 'Basic'],
        ],
      },
    );
    expect(answered(decision)).toEqual({
      status: { code: 16 },
      deniedResponse: {
        status: { code: 401 },
        headers: [
          set('content-type', 'application/json'),
          set('www-authenticate', 'Bearer a="1"'),
          set('www-authenticate', 'DPoP b="2"'),
          set('x-frame-options', 'DENY'),
        ],
        body: '{"error":"token_expired","message":"The token is past its end.","decision":"0123-abc"}',
      },
      dynamicMetadata: metadataOf('token_expired'),
    });
  });

  test.each([
    [401, 16],
    [400, 7],
    [403, 7],
    [429, 7],
    [418, 7],
    [500, 14],
    [503, 14],
    [599, 14],
  ])('of HTTP status %i has the code %i', (status, code) => {
    expect(answered({ ...deny(about, denial('denied')), status })).toMatchObject({
      status: { code },
      deniedResponse: { status: { code: status } },
    });
  });

  test.each([0, 1, 99, 100, 200, 204, 302, 399, 600, 999, 70_000, -1, 403.5, Number.NaN])(
    'is not written with the HTTP status %d',
    (status) => {
      expect(refusal({ ...deny(about, denial('denied')), status })).toBe('unsafe_status');
    },
  );

  test('has a body that is valid UTF-8 whatever its message is', () => {
    const answer = answered(deny(about, denial('denied', 'half a pair \ud800, a break\r\n')));
    expect(answer.deniedResponse?.body).toBe(
      String.raw`{"error":"denied","message":"half a pair \ud800, a break\r\n","decision":"0123-abc"}`,
    );
  });
});

describe('a header that may not leave is refused', () => {
  test.each([
    ['', 'x'],
    [':path', '/admin'],
    [':authority', 'evil'],
    ['host', 'evil'],
    ['connection', 'close'],
    ['content-length', '0'],
    ['transfer-encoding', 'chunked'],
    ['te', 'trailers'],
    ['grpc-status', '0'],
    ['upgrade', 'x'],
    ['x-envoy-original-path', '/'],
    ['x-envoy-auth-failure-mode-allowed', 'true'],
    ['X-User', 'ann'],
    ['x user', 'ann'],
    ['x-user\r\nx-admin', 'true'],
    ['x-ü', 'ann'],
    ['x-long'.repeat(3000), 'ann'],
  ])('by its name: %.40j', (name, value) => {
    expect(refusal(setting([name, value]))).toBe('unsafe_header');
    expect(refusal(allow(about, unchanged, [[name, value]]))).toBe('unsafe_header');
    expect(refusal(deny(about, denial('denied'), { headers: [[name, value]] }))).toBe('unsafe_header');
    if (name !== 'x-envoy-auth-failure-mode-allowed') {
      expect(refusal(allow(about, { ...unchanged, removeHeaders: [name] }))).toBe('unsafe_header');
    }
  });

  test.each([
    ['a line break and more', 'a\r\nx-admin: true'],
    ['a line feed', 'a\nb'],
    ['a carriage return', 'a\rb'],
    ['NUL', 'a\0b'],
    ['a tab', 'a\tb'],
    ['DEL', 'a\u007f'],
    ['a C1 control', 'a\u0085b'],
    ['white space before it', ' a'],
    ['white space behind it', 'a '],
    ['half a surrogate pair', '\ud800'],
    ['more than 16 KiB', 'x'.repeat(16_385)],
    ['more than 16 KiB of UTF-8', 'ä'.repeat(8193)],
  ])('by its value: %s', (_, value) => {
    expect(refusal(setting(['x-user', value]))).toBe('unsafe_header');
    expect(refusal(allow(about, unchanged, [['x-user', value]]))).toBe('unsafe_header');
    expect(refusal(deny(about, denial('denied'), { headers: [['x-user', value]] }))).toBe('unsafe_header');
    expect(refusal(deny(about, denial('token_expired', 'm', [value])))).toBe('unsafe_header');
  });

  test.each([
    ['plain', 'ann'],
    ['empty', ''],
    ['beyond ASCII', 'Änne, ☃ 😀'],
    ['16 KiB long', 'x'.repeat(16_384)],
    ['16 KiB long in UTF-8', 'ä'.repeat(8192)],
  ])('and a value is not that is %s', (_, value) => {
    expect(answered(setting(['x-user', value])).okResponse?.headers).toEqual([set('x-user', value)]);
  });

  test('and its name is in the message while its value is not', () => {
    expect(() => encoder.allow(setting(['x-user', 'secret\n']), '/')).toThrow(
      'The header "x-user" has a value that may not leave.',
    );
  });

  test.each([
    ['nothing', ''],
    ['a line break', 'a\nb'],
    ['half a surrogate pair', '\ud800'],
    ['very long', 'x'.repeat(20_000)],
  ])('and so is the name of a query parameter that is %s', (_, name) => {
    expect(refusal(allow(about, { ...unchanged, removeQueryParameters: [name] }))).toBe('unsafe_parameter');
  });
});

describe('nothing can be written that has no status', () => {
  test('what is neither an allow nor a deny', () => {
    expect(refusal({ ...allow(about, unchanged), kind: 'maybe' } as unknown as Decision)).toBe('unsafe_response');
  });

  test('any decision is an allow with status 0, a deny with another, or refused', () => {
    const wild = fc.string({ unit: 'binary', maxLength: 30 }).filter((text) => !text.includes('\uFFFD'));
    const text = fc.oneof({ weight: 1, arbitrary: wild }, { weight: 4, arbitrary: fc.constantFrom('x-user', 'a') });
    const entries = fc.array(fc.tuple(text, text), { maxLength: 3 });
    const upstream = fc.record({
      setHeaders: entries,
      removeHeaders: fc.array(text, { maxLength: 3 }),
      removeQueryParameters: fc.array(text, { maxLength: 3 }),
    });
    const decisions: fc.Arbitrary<Decision> = fc.oneof(
      fc.tuple(upstream, entries).map(([changes, headers]) => allow(about, changes, headers)),
      fc
        .tuple(
          fc.constantFrom(...codes),
          text,
          fc.array(text, { maxLength: 2 }),
          fc.integer({ min: 390, max: 610 }),
          entries,
        )
        .map(([code, message, challenges, status, headers]): Deny => {
          return Object.assign(deny(about, denial(code, message, challenges), { headers }), { status });
        }),
    );
    let written = 0;
    fc.assert(
      fc.property(decisions, text, (decision, target) => {
        let bytes: Uint8Array;
        try {
          bytes = encodeDecision(encoder, decision, target);
        } catch (thrown) {
          expect((thrown as { code: string }).code).toMatch(/^unsafe_/);
          return;
        }
        written++;
        const answer = decodeAnswer(bytes);
        expect(typeof answer.status?.code).toBe('number');
        expect(answer.status?.code === 0).toBe(decision.kind === 'allow');
        // The loader reads what is not UTF-8 as the replacement character.
        expect(JSON.stringify(answer)).not.toContain('\uFFFD');
      }),
      { numRuns: 3000, seed: 7 },
    );
    expect(written).toBeGreaterThan(300);
  });

  test('the last resort denies', () => {
    expect(decodeAnswer(lastResortDeny)).toEqual({ status: { code: 14 }, deniedResponse: { status: { code: 503 } } });
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allow, deny, denial, type HeaderEntry } from '../../../src/core/decision.ts';
import { createCheckResponseEncoder } from '../../../src/envoy/encode-check-response.ts';
import { codecOf } from '../../../src/envoy/protos.ts';
import { isHeaderValue } from '../../../src/std/http-headers.ts';
import { about, decodeAnswer } from './envoy-fixtures.ts';

/** The general encoder, with the definitions in proto/. */
const codec = codecOf('envoy.service.auth.v3.CheckResponse');
const encoder = createCheckResponseEncoder();

const name = fc.stringMatching(/^x-[a-z0-9-]{0,20}$/);
const text = fc.string({ unit: 'grapheme', maxLength: 90 }).filter(isHeaderValue);
const header = fc.tuple(name, text) as fc.Arbitrary<HeaderEntry>;
const headers = fc.uniqueArray(header, { maxLength: 6, selector: ([key]) => key });

const option = ([key, value]: HeaderEntry) => ({
  header: { key, value },
  append: { value: false },
  appendAction: 2,
});

test('the bytes of an allow are those of the general encoder, before the metadata', () => {
  fc.assert(
    fc.property(
      headers,
      headers,
      fc.uniqueArray(name),
      fc.array(text, { maxLength: 3 }),
      (set, back, remove, query) => {
        const removeHeaders = remove.filter((one) => !set.some(([key]) => key === one));
        const removeQueryParameters = query.filter((one) => one !== '');
        const decision = allow(about, { setHeaders: set, removeHeaders, removeQueryParameters }, back);
        const expected = codec.encode({
          status: { code: 0 },
          okResponse: {
            headers: set.map(option),
            headersToRemove: [...removeHeaders, 'x-envoy-auth-failure-mode-allowed'],
            responseHeadersToAdd: back.map(option),
            queryParametersToRemove: removeQueryParameters,
          },
        });
        const bytes = encoder.allow(decision, '/');
        expect(Buffer.from(bytes.subarray(0, expected.length)).equals(expected)).toBe(true);
        // A second time with the same lists, which are encoded once.
        expect(encoder.allow(decision, '/')).toEqual(bytes);
        expect(bytes[expected.length]).toBe(0x22);
        expect(decodeAnswer(bytes)).toHaveProperty('dynamicMetadata');
      },
    ),
  );
});

test('the bytes of a deny are those of the general encoder, before the metadata', () => {
  fc.assert(
    fc.property(headers, text, fc.integer({ min: 400, max: 599 }), (given, body, status) => {
      const answer = { status, headers: given, body: { contentType: 'text/plain', text: body } };
      const bytes = encoder.deny(deny(about, denial('role_missing'), answer));
      const expected = codec.encode({
        status: { code: status === 401 ? 16 : status >= 500 ? 14 : 7 },
        deniedResponse: {
          status: { code: status },
          headers: [['content-type', 'text/plain'] as const, ...given].map(option),
          body,
        },
      });
      expect(Buffer.from(bytes.subarray(0, expected.length)).equals(expected)).toBe(true);
      expect(bytes[expected.length]).toBe(0x22);
    }),
  );
});

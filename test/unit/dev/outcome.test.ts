import { describe, expect, it } from 'vitest';
import { differences, outcomeOfAnswer, type Outcome } from '../../../src/dev/outcome.ts';
import type { Expected } from '../../../src/dev/samples.ts';

const echo = (headers: object): string => JSON.stringify({ method: 'GET', path: '/', headers });
const allowed: Expected = { decision: 'allow', upstream: { 'x-user-id': 'alice', authorization: undefined } };
const denied: Expected = { decision: 'deny', status: 401, code: 'token_expired' };

describe('an answer', () => {
  it('that echoes the request is an allow with the headers of the upstream', () => {
    expect(outcomeOfAnswer(200, echo({ 'x-user-id': ['alice'], via: ['a', 'b'] }))).toEqual({
      decision: 'allow',
      status: 200,
      upstream: new Map([
        ['x-user-id', 'alice'],
        ['via', 'a,b'],
      ]),
    });
  });

  it('of Portcullis is a denial with its code', () => {
    const body = '{"error":"token_expired","message":"It ended.","decision":"d1"}';
    expect(outcomeOfAnswer(401, body)).toEqual({
      decision: 'deny',
      status: 401,
      code: 'token_expired',
      message: 'It ended.',
    });
  });

  it.each([
    [403, '', { decision: 'deny', status: 403, code: undefined, message: '' }],
    [
      503,
      'upstream connect error',
      { decision: 'deny', status: 503, code: undefined, message: 'upstream connect error' },
    ],
    [200, '{"hello":1}', { decision: 'deny', status: 200, code: undefined, message: '' }],
    [401, '{"error":"toString"}', { decision: 'deny', status: 401, code: undefined, message: '' }],
  ])('of somebody else is a denial without a code: %i %s', (status, body, outcome) => {
    expect(outcomeOfAnswer(status, body)).toEqual(outcome);
  });
});

describe('what differs', () => {
  const allow = (...headers: [string, string][]): Outcome => ({
    decision: 'allow',
    status: 200,
    upstream: new Map(headers),
  });

  it('is nothing where all is as expected', () => {
    expect(differences(allowed, allow(['x-user-id', 'alice'], ['via', 'x']))).toEqual([]);
    expect(differences(denied, { decision: 'deny', status: 401, code: 'token_expired', message: '' })).toEqual([]);
  });

  it.each([
    ['an allow for a denial', denied, allow(), 'expected 401 token_expired, and it was allowed'],
    [
      'another code',
      denied,
      { decision: 'deny', status: 401, code: 'token_audience', message: '' },
      'expected 401 token_expired, got 401 token_audience',
    ],
    [
      'another status',
      denied,
      { decision: 'deny', status: 403, code: 'token_expired', message: '' },
      'expected 401 token_expired, got 403 token_expired',
    ],
    [
      'a denial for an allow',
      allowed,
      { decision: 'deny', status: 503, code: undefined, message: 'no healthy upstream' },
      'expected an allow, got 503 no healthy upstream',
    ],
    ['a header that is missing', allowed, allow(), 'expected x-user-id: alice at the upstream, got no x-user-id'],
    [
      'a header that should not be there',
      allowed,
      allow(['x-user-id', 'alice'], ['authorization', 'kept']),
      'expected no authorization at the upstream, got authorization: kept',
    ],
  ] as const)('is told for %s', (_title, expected, outcome, difference) => {
    expect(differences(expected, outcome)).toEqual([difference]);
  });
});

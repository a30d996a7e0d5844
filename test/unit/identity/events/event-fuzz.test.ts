import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MessageProvider } from '../../../../src/phases/identity/identity-provider.ts';
import { judgeLogoutToken, logoutEvent } from '../../../../src/phases/identity/events/judge-logout-token.ts';
import { judgeSecurityEvent } from '../../../../src/phases/identity/events/judge-security-event.ts';
import { eventTypes } from '../../../../src/phases/identity/events/event-types.ts';
import type { JsonValue } from '../../../../src/core/json.ts';
import { createJwtProvider } from '../../../../src/phases/identity/jwt/jwt-provider.ts';
import { caep } from '../../../support/event-transmitter.ts';
import { createWorld, ecKey, issuer, jwtSpec, startSeconds, tokenOf } from '../identity-fixtures.ts';

const key = ecKey('k');
let provider: MessageProvider;
beforeAll(() => {
  const events = { issuer, audiences: ['api://orders'], keys: undefined, ca: undefined, authorization: undefined };
  const spec = jwtSpec({ logout: { audiences: ['api://orders'] }, events });
  provider = createJwtProvider(spec, { keysText: undefined, ca: undefined }, createWorld([key]).ports);
});
afterAll(() => provider.close());

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>;

test('whatever is delivered, it is refused and nothing is thrown', { timeout: 60_000 }, async () => {
  const made = fc
    .tuple(fc.string(), fc.json(), fc.string())
    .map((parts) => parts.map((part) => Buffer.from(part).toString('base64url')).join('.'));
  const token = fc.oneof(fc.string({ maxLength: 500 }), made);
  const property = fc.asyncProperty(token, fc.constantFrom('logout', 'events'), async (text, kind) => {
    const receipt = await provider.receive?.({ kind, token: text, authorization: undefined });
    expect(receipt).toMatchObject({ kind: 'refused' });
  });
  await fc.assert(property, { numRuns: 200 });
});

test.each([
  ['logout', 'logout+jwt', { sub: 'alice', events: { [logoutEvent]: {} } }],
  ['events', 'secevent+jwt', { sub_id: { format: 'opaque', id: 'alice' }, events: { [caep('session-revoked')]: {} } }],
] as const)('a good message of %s with one changed character is refused', async (kind, typ, claims) => {
  const good = tokenOf(key, { jti: 'x', iat: startSeconds, ...claims }, { typ });
  const receive = (token: string) => provider.receive?.({ kind, token, authorization: undefined });
  expect(await receive(good)).toMatchObject({ kind: 'understood', revocations: [{ value: 'alice' }] });
  const put = fc.string({ unit: 'binary-ascii', maxLength: 2 });
  const property = fc.asyncProperty(fc.nat(good.length - 1), put, async (at, text) => {
    const changed = good.slice(0, at) + text + good.slice(at + 1);
    fc.pre(changed !== good);
    expect(await receive(changed)).toMatchObject({ kind: 'refused' });
  });
  await fc.assert(property, { numRuns: 200 });
});

const claim = fc.oneof(json, fc.constantFrom<JsonValue>('alice', issuer, startSeconds, {}));
const subject = fc.oneof(
  json,
  fc.record(
    {
      format: fc.constantFrom('iss_sub', 'opaque', 'email', 'aliases', 'complex', 'jwt_id', 'uri'),
      iss: claim,
      sub: claim,
      id: claim,
      email: claim,
      identifiers: fc.array(json, { maxLength: 3 }),
      user: fc.record(
        { format: fc.constantFrom('iss_sub', 'opaque'), iss: claim, sub: claim, id: claim },
        { requiredKeys: [] },
      ),
      session: claim,
    },
    { requiredKeys: ['format'] },
  ),
);

test(
  'whatever a signed message says, what it asks for is about somebody, and no later than now',
  { timeout: 60_000 },
  () => {
    const types = [...eventTypes.keys(), logoutEvent, '__proto__'];
    const event = fc.dictionary(
      fc.constantFrom('event_timestamp', 'change_type', 'current_level', 'current_status', 'subject', 'state'),
      claim,
    );
    const claims = fc.record(
      {
        sub: claim,
        sid: claim,
        nonce: claim,
        exp: claim,
        toe: claim,
        sub_id: subject,
        events: fc.dictionary(fc.constantFrom(...types), fc.oneof(event, json), { maxKeys: 2 }),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Record<string, JsonValue>>;
    const property = fc.property(claims, (some) => {
      const token = { claims: some, jti: 'j', iat: startSeconds };
      for (const receipt of [
        judgeLogoutToken(token, 30, startSeconds),
        judgeSecurityEvent(token, issuer, 30, startSeconds),
      ]) {
        if (receipt.kind === 'refused') continue;
        for (const { value, issuedBefore = 0 } of receipt.revocations) {
          expect(typeof value === 'string' && value.length > 0 && value.length <= 512).toBe(true);
          expect(issuedBefore).toBeLessThanOrEqual(startSeconds + 31);
        }
        for (const { value, at } of receipt.signals) {
          expect(typeof value).toBe('string');
          expect(at).toBeLessThanOrEqual(startSeconds + 30);
        }
      }
    });
    fc.assert(property, { numRuns: 2000 });
  },
);

import { expect, test } from 'vitest';
import { judgeSecurityEvent } from '../../../../src/phases/identity/events/judge-security-event.ts';
import { caep, risc } from '../../../support/event-transmitter.ts';
import { issuer, startSeconds } from '../identity-fixtures.ts';

const names = ['account-disabled', 'account-purged', 'credential-compromise', 'sessions-revoked'];
const types = [caep('session-revoked'), ...names.map(risc)];

/** A token with an event of each of so many types, each about 16 aliases. */
function judge(typeCount: number): ReturnType<typeof judgeSecurityEvent> {
  const identifiers = Array.from({ length: 16 }, (_, index) => ({ format: 'opaque', id: `user-${index}` }));
  const event = { subject: { format: 'aliases', identifiers } };
  const events = Object.fromEntries(types.slice(0, typeCount).map((type) => [type, event]));
  return judgeSecurityEvent({ claims: { events }, jti: 'j', iat: startSeconds }, issuer, 30, startSeconds);
}

test('one token names so many subjects and no more, so that nobody fills the room of others with a few deliveries', () => {
  const taken = judge(2);
  expect(taken.kind === 'understood' && taken.revocations.length + taken.signals.length).toBe(48);
  expect(judge(5)).toMatchObject({ kind: 'refused', error: 'invalid_request' });
});

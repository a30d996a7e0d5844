import type { Receipt } from '../../../core/issuer-message.ts';
import { isJsonObject, ownMember } from '../../../core/json.ts';
import { isText } from '../jwt/judge-claims.ts';
import { refuse, type EventToken } from './read-event-token.ts';
import { isName } from './read-subject.ts';

/** The member of `events` that makes a JWT a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4). */
export const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** How old one may be that does not say when it ends, seconds. */
const maxAge = 300;

/**
 * What a logout token ends, by section 2.6: the session that it names and, of tokens that do not say their session, all of its user; without a
 * session all tokens of the user that were issued up to then. `now` in seconds since the epoch.
 */
export function judgeLogoutToken({ claims, jti, iat }: EventToken, clockSkew: number, now: number): Receipt {
  const events = ownMember(claims, 'events');
  const isLogout = isJsonObject(events) && isJsonObject(ownMember(events, logoutEvent));
  if (!isLogout) return refuse('invalid_request', 'The events of the token do not say that it is a logout token.');
  if (Object.hasOwn(claims, 'nonce')) return refuse('invalid_request', 'A logout token has no nonce.');
  const exp = ownMember(claims, 'exp') ?? iat + maxAge;
  if (typeof exp !== 'number' || now >= exp + clockSkew)
    return refuse('invalid_request', 'The logout token is past its end.');
  const sub = ownMember(claims, 'sub');
  const sid = ownMember(claims, 'sid');
  for (const name of [sub, sid]) {
    if (name !== undefined && !isName(name))
      return refuse('invalid_request', 'The sub or sid of the token is not a text, or too long.');
  }
  if (!isText(sub) && !isText(sid)) return refuse('invalid_request', 'The token has neither sub nor sid.');
  const issuedBefore = Math.floor(iat) + 1;
  const session = isText(sid) ? [{ target: 'sid', value: sid, issuedBefore: undefined } as const] : [];
  const user = isText(sub)
    ? [{ target: isText(sid) ? 'subWithoutSid' : 'sub', value: sub, issuedBefore } as const]
    : [];
  return {
    kind: 'understood',
    events: ['logout'],
    revocations: [...session, ...user],
    signals: [],
    state: undefined,
    onlyOnce: jti,
  };
}

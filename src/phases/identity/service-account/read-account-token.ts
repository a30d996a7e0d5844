import { denial, type Denial } from '../../../core/decision.ts';
import { ownMember } from '../../../core/json.ts';
import { readAudiences } from '../jwt/judge-claims.ts';
import { readObject, splitToken, type Read } from '../jwt/parse-token.ts';

/** What a token says of itself; nobody has verified it. */
export interface AccountToken {
  /** `system:serviceaccount:NAMESPACE:NAME`. */
  readonly subject: string;
  /** Seconds since the epoch; undefined where it says none (the old tokens out of Secrets). */
  readonly expiresAt: number | undefined;
}

export const accountPrefix = 'system:serviceaccount:';

/** Our clock and that of the API server differ; its word counts. */
const skewSeconds = 30;

/**
 * Reads a token of a service account, and refuses what can be none: it is a JWT whose subject is one, for an audience of ours where it names
 * any. What is refused here costs the API server nothing, and it never sees tokens that say that others issued them; one that is made up well gets there. `now` in seconds since the epoch.
 */
export function readAccountToken(
  text: string,
  audiences: readonly string[],
  now: number,
  maxBytes: number,
): Read<AccountToken> {
  const segments = splitToken(text, maxBytes);
  if ('denial' in segments) return segments;
  const payload = readObject('payload', segments.value.payload);
  if ('denial' in payload) return payload;
  const claims = payload.value;
  const subject = ownMember(claims, 'sub');
  if (typeof subject !== 'string' || parseAccount(subject) === undefined) return refuse(notAnAccount);
  if (Object.hasOwn(claims, 'aud')) {
    const named = readAudiences(claims);
    if (named === undefined || !named.some((audience) => audiences.includes(audience)))
      return refuse(denial('token_audience'));
  }
  const exp = ownMember(claims, 'exp');
  if (exp !== undefined && !(typeof exp === 'number' && Number.isFinite(exp)))
    return refuse(denial('token_claim', 'The claim exp is not of its type.'));
  if (exp !== undefined && now >= exp + skewSeconds) return refuse(denial('token_expired'));
  return { value: { subject, expiresAt: exp } };
}

export const notAnAccount = denial('token_type', 'The token is not one of a service account.');

function refuse(reason: Denial): { readonly denial: Denial } {
  return { denial: reason };
}

export interface Account {
  readonly namespace: string;
  readonly name: string;
}

const accountName = /^system:serviceaccount:([a-z0-9][-a-z0-9]*):([a-z0-9][-a-z0-9.]*)$/;

/** The account that the user name stands for; undefined where it is no service account's. */
export function parseAccount(username: string): Account | undefined {
  const [, namespace, name] = accountName.exec(username) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

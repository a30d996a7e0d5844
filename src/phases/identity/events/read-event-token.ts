import type { Denial } from '../../../core/decision.ts';
import type { ReceiptRefusal } from '../../../core/issuer-message.ts';
import { ownMember, type JsonObject } from '../../../core/json.ts';
import { isText, readAudiences } from '../jwt/judge-claims.ts';
import { headerJudges } from '../jwt/judge-header.ts';
import type { KeyCache } from '../jwt/key-cache.ts';
import { readObject, splitToken } from '../jwt/parse-token.ts';
import type { TokenRules } from '../jwt/token-rules.ts';
import { verifySignature } from '../jwt/verify-signature.ts';

/** Who may have signed a message, and for whom. */
export interface EventTokenRules {
  /** Of the provider, with the issuer and the audiences of the sender. */
  readonly token: TokenRules;
  /** `typ` without `application/`, in lower case; undefined: none. */
  readonly types: ReadonlySet<string | undefined>;
}

/** Times in seconds since the epoch. */
export interface EventToken {
  readonly claims: JsonObject;
  readonly jti: string;
  readonly iat: number;
}

export function refuse(error: ReceiptRefusal['error'], description: string): ReceiptRefusal {
  return { kind: 'refused', error, description };
}

/**
 * Reads a signed message of an issuer: its text, header, issuer, audience, `jti`, `iat` and signature, in this order, so that nobody causes a
 * fetch of keys who does not even claim to be the issuer. What it says is judged by others.
 */
export async function readEventToken(
  text: string,
  rules: EventTokenRules,
  keys: KeyCache,
  { maxBytes, now }: { readonly maxBytes: number; readonly now: number },
): Promise<EventToken | ReceiptRefusal> {
  const segments = splitToken(text, maxBytes);
  if ('denial' in segments) return refuse('invalid_request', segments.denial.message);
  const header = readObject('header', segments.value.header);
  if ('denial' in header) return refuse('invalid_request', header.denial.message);
  const objection = judgeHeader(header.value, rules);
  if (objection !== undefined) return objection;
  const payload = readObject('payload', segments.value.payload);
  if ('denial' in payload) return refuse('invalid_request', payload.denial.message);
  const judged = judgeEnvelope(payload.value, rules.token, now);
  if ('error' in judged) return judged;
  const kid = ownMember(header.value, 'kid');
  const alg = ownMember(header.value, 'alg');
  const signature = await verifySignature(
    { text, alg: typeof alg === 'string' ? alg : '', kid: typeof kid === 'string' ? kid : undefined },
    keys,
  );
  return 'denial' in signature ? toRefusal(signature.denial) : judged;
}

function judgeHeader(header: JsonObject, { token, types }: EventTokenRules): ReceiptRefusal | undefined {
  for (const { name, judge } of headerJudges) {
    const denied = name === 'type' ? undefined : judge(header, token);
    if (denied !== undefined) return refuse('invalid_request', denied.message);
  }
  const typ = ownMember(header, 'typ');
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined;
  const isRight = (typ === undefined || typeof typ === 'string') && types.has(type);
  return isRight ? undefined : refuse('invalid_request', 'The typ of the token is not that of such a message.');
}

function judgeEnvelope(claims: JsonObject, rules: TokenRules, now: number): EventToken | ReceiptRefusal {
  if (ownMember(claims, 'iss') !== rules.issuer)
    return refuse('invalid_issuer', 'The iss of the token is not the issuer that is expected here.');
  const audiences = readAudiences(claims) ?? [];
  if (!audiences.some((audience) => rules.audiences.has(audience)))
    return refuse('invalid_audience', 'The aud of the token is not the audience that is expected here.');
  const jti = ownMember(claims, 'jti');
  if (!isText(jti)) return refuse('invalid_request', 'The jti of the token is missing or not a text.');
  const iat = ownMember(claims, 'iat');
  if (typeof iat !== 'number' || iat < 0)
    return refuse('invalid_request', 'The iat of the token is missing or no date.');
  if (iat > now + rules.clockSkew) return refuse('invalid_request', 'The token was issued in the future.');
  return { claims, jti, iat };
}

function toRefusal({ code, message }: Denial): ReceiptRefusal {
  return code === 'keys_unavailable' ? refuse('unavailable', message) : refuse('invalid_key', message);
}

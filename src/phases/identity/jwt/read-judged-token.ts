import type { JsonObject } from '../../../core/json.ts';
import type { ClaimJudge } from './judge-claims.ts';
import { headerJudges } from './judge-header.ts';
import { readObject, splitToken, type Read, type TokenSegments } from './parse-token.ts';
import type { TokenRules } from './token-rules.ts';

/** A token whose text, header and claims were judged; its signature has not been looked at. */
export interface JudgedToken {
  readonly segments: TokenSegments;
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

/** Everything that needs no key, cheap first. `now` in seconds since the epoch. */
export function readJudgedToken(
  text: string,
  rules: TokenRules,
  judges: readonly ClaimJudge[],
  { maxBytes, now }: { readonly maxBytes: number; readonly now: number },
): Read<JudgedToken> {
  const segments = splitToken(text, maxBytes);
  if ('denial' in segments) return segments;
  const header = readObject('header', segments.value.header);
  if ('denial' in header) return header;
  for (const { judge } of headerJudges) {
    const refused = judge(header.value, rules);
    if (refused !== undefined) return { denial: refused };
  }
  const payload = readObject('payload', segments.value.payload);
  if ('denial' in payload) return payload;
  for (const judge of judges) {
    const refused = judge(payload.value, rules, now);
    if (refused !== undefined) return { denial: refused };
  }
  return { value: { segments: segments.value, header: header.value, claims: payload.value } };
}

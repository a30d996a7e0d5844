import type { ClaimReader } from '../../../core/claim-path.ts';
import type { Identity } from '../../../core/identity.ts';
import { ownMember, type JsonObject } from '../../../core/json.ts';
import { isStringArray } from './judge-claims.ts';
import type { TokenRules } from './token-rules.ts';

/** How claims are read as an identity. */
export type IdentityRules = Pick<TokenRules, 'issuer' | 'subject' | 'scopes' | 'roles'>;

/** The identity that verified claims stand for. What is absent or not text is empty: a test on it then fails. */
export function toIdentity(claims: JsonObject, rules: IdentityRules, provider: string): Identity {
  return Object.freeze({
    authenticated: true,
    subject: textOf(rules.subject.read(claims)),
    issuer: rules.issuer,
    provider,
    clientId: toClientId(claims),
    scopes: collect(claims, rules.scopes, (text) => text.split(' ')),
    roles: collect(claims, rules.roles, (text) => [text]),
    claims,
    expiresAt: toExpiry(claims),
  });
}

/** `client_id` (RFC 9068), else `azp` (OpenID Connect); null says as little as nothing. */
function toClientId(claims: JsonObject): string {
  return textOf(ownMember(claims, 'client_id') ?? ownMember(claims, 'azp'));
}

function toExpiry(claims: JsonObject): number | undefined {
  const exp = ownMember(claims, 'exp');
  return typeof exp === 'number' ? exp : undefined;
}

/** The union of what the claims list: an array of strings as it is, one string as `split` reads it, anything else is nothing. */
function collect(
  claims: JsonObject,
  readers: readonly ClaimReader[],
  split: (text: string) => readonly string[],
): readonly string[] {
  const found = new Set<string>();
  for (const read of readers) {
    const value = read(claims);
    const entries = typeof value === 'string' ? split(value) : isStringArray(value) ? value : [];
    for (const entry of entries) if (entry !== '') found.add(entry);
  }
  return Object.freeze([...found]);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

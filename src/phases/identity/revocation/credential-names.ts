import type { Identity } from '../../../core/identity.ts';
import { ownMember, type JsonValue } from '../../../core/json.ts';
import type { RevocationTarget } from '../../../core/revocation.ts';
import { compileOnce } from '../../../std/shared-values.ts';

/** What of a credential a revocation can name. */
export interface CredentialNames {
  readonly names: readonly (readonly [target: RevocationTarget, value: string])[];
  /** Seconds since the epoch; undefined where it does not say. */
  readonly issuedAt: number | undefined;
}

/**
 * `jti`, `sid` and `email` are claims, for kinds that have some. The subject is that of the identity and the claim `sub`, which differ where a
 * provider maps another claim: issuers name somebody by `sub`. Read once for each identity: a remembered token has the same one again and again.
 */
export const namesOf = compileOnce(readNames);

function readNames({ subject, clientId, claims }: Identity): CredentialNames {
  const claim = (name: string): JsonValue | undefined => claims && ownMember(claims, name);
  const subjects: readonly (JsonValue | undefined)[] = [subject, claim('sub') === subject ? undefined : claim('sub')];
  // Null, an empty text or a number is no session that anybody could name.
  const hasSession = isName(claim('sid'));
  const candidates: readonly (readonly [RevocationTarget, JsonValue | undefined])[] = [
    ['jti', claim('jti')],
    ['sid', claim('sid')],
    ...subjects.map((value) => ['sub', value] as const),
    ...subjects.map((value) => ['subWithoutSid', hasSession ? undefined : value] as const),
    ['client', clientId === '' ? claim('azp') : clientId],
    ['email', foldEmail(claim('email'))],
  ];
  const issuedAt = claim('iat');
  return {
    names: candidates.flatMap(([target, value]) => (isName(value) ? [[target, value]] : [])),
    issuedAt: typeof issuedAt === 'number' ? issuedAt : undefined,
  };
}

function isName(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

/** Case tells no two mailboxes apart in practice, and what is compared here only ever denies. */
export function foldEmail(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value.toLowerCase() : undefined;
}

import type { Clock } from '../../../core/ports.ts';
import type { Revocation } from '../../../core/revocation.ts';
import type { CredentialNames } from './credential-names.ts';
import { scopeKey } from './scope-key.ts';
import { createTargetTable, type TargetTable } from './target-table.ts';

/** The revocations of one source. */
export interface RevocationTable {
  readonly size: number;
  /** `full`: nothing of it is in force. `widened`: with it everything that its scope issued until now is revoked. */
  add(revocation: Revocation, whenFull: 'refuse' | 'widen'): 'kept' | 'full' | 'widened';
  /** True where the credential is revoked in one of the scopes. */
  revokes(scopes: readonly string[], names: () => CredentialNames): boolean;
  sweep(count: number): void;
}

/** Each is the scope of a receiver. */
const maxWidened = 10_000;
/** The place of a scope's own moment in a table by names. */
const everything = ['sub', '*'] as const;

/** Infinity: whenever it was issued. */
type IssuedBefore = number;

/**
 * A list of at most `maxEntries`. What comes from an issuer must not be lost for want of room: then the whole scope is revoked up to this second,
 * which takes the place of all that names single tokens, sessions and moments of it; clients get new tokens, and nobody keeps an old one.
 */
export function createRevocationTable(maxEntries: number, clock: Clock): RevocationTable {
  const entries = createTargetTable<IssuedBefore>(maxEntries, clock);
  const widened = createTargetTable<IssuedBefore>(maxWidened, clock);
  const untilNow = (): number => Math.floor(clock.now() / 1000) + 1;
  const widen = ({ expiresAt }: Revocation, scope: string): boolean => {
    const until = untilNow();
    if (!widened.set(scope, ...everything, Math.max(widened.get(scope, ...everything) ?? 0, until), expiresAt))
      return false;
    entries.deleteWhere(scope, (issuedBefore, target) => target === 'jti' || issuedBefore <= until);
    return true;
  };
  return {
    get size() {
      return entries.size + widened.size;
    },
    add: (revocation, whenFull) => {
      if (put(entries, revocation)) return 'kept';
      if (whenFull === 'refuse') return 'full';
      if (!widen(revocation, scopeKey(revocation.scope))) return 'full';
      // One without a moment, or of a moment that our clock has not reached, goes on beyond what was widened; where it still finds no room, the caller is told.
      const isCovered = (revocation.issuedBefore ?? Infinity) <= untilNow();
      return isCovered || put(entries, revocation) ? 'widened' : 'full';
    },
    revokes: (scopes, names) => {
      for (const scope of scopes) {
        const until = widened.has(scope) ? widened.get(scope, ...everything) : undefined;
        if (until !== undefined && isBefore(names(), until)) return true;
        if (entries.has(scope) && namesOne(entries, scope, names())) return true;
      }
      return false;
    },
    sweep: (count) => {
      entries.sweep(count);
      widened.sweep(count);
    },
  };
}

function put(entries: TargetTable<IssuedBefore>, revocation: Revocation): boolean {
  const { target, value, issuedBefore = Infinity, expiresAt } = revocation;
  const scope = scopeKey(revocation.scope);
  const known = entries.get(scope, target, value) ?? -Infinity;
  return entries.set(scope, target, value, Math.max(known, issuedBefore), expiresAt);
}

function namesOne(entries: TargetTable<IssuedBefore>, scope: string, credential: CredentialNames): boolean {
  return credential.names.some(([target, value]) => {
    const issuedBefore = entries.get(scope, target, value);
    return issuedBefore !== undefined && isBefore(credential, issuedBefore);
  });
}

/** What does not say when it was issued was issued before. */
function isBefore({ issuedAt }: CredentialNames, moment: IssuedBefore): boolean {
  return issuedAt === undefined || issuedAt < moment;
}

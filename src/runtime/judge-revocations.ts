import type { Clock } from '../core/ports.ts';
import type { Revocation } from '../core/revocation.ts';
import type { KnownProvider } from '../engine/known-provider.ts';

export interface RevocationJudgeOptions {
  readonly providers: () => readonly KnownProvider[];
  readonly clock: Clock;
  /** How long a revocation without an end holds. */
  readonly retentionMs: number;
}

/** What a call is answered: why nothing of it is taken, or what is worth a second look, and until when each holds (seconds since the epoch). */
export type JudgedRevocations =
  { readonly wrong: string } | { readonly warnings: readonly string[]; readonly until: readonly number[] };

export type JudgeRevocations = (entries: readonly Revocation[]) => JudgedRevocations;

/**
 * Holds revocations against the providers of the service: one that can never concern a credential is a mistake, and whoever makes it believes
 * that something is refused. An issuer that no document names may be that of certificates or of service accounts, and is only told.
 */
export function createRevocationJudge({ providers, clock, retentionMs }: RevocationJudgeOptions): JudgeRevocations {
  return (entries) => {
    const now = clock.now() / 1000;
    const known = providers();
    const warnings: string[] = [];
    for (const [index, entry] of entries.entries()) {
      const at = `revocations[${index}]`;
      if (entry.expiresAt !== undefined && entry.expiresAt <= now)
        return { wrong: `${at}: expiresAt is in the past: nothing would be refused` };
      const { provider } = entry.scope;
      if (provider !== '' && !known.some(({ name }) => name === provider))
        return { wrong: `${at}: ${describeUnknown(provider, known)}` };
      const warning = doubtOfIssuer(entry, known);
      if (warning !== undefined) warnings.push(`${at}: ${warning}`);
    }
    return { warnings, until: entries.map(({ expiresAt }) => expiresAt ?? Math.ceil(now + retentionMs / 1000)) };
  };
}

function describeUnknown(provider: string, known: readonly KnownProvider[]): string {
  const meant = known.filter(({ name }) => name.endsWith(`/${provider}`)).map(({ name }) => name);
  if (meant.length > 0)
    return `there is no ClusterIdentityProvider of that name; of an IdentityProvider write the namespace too: ${meant.slice(0, 5).join(', ')}`;
  return provider.includes('/')
    ? 'the service has no IdentityProvider of that namespace and name'
    : 'the service has no ClusterIdentityProvider of that name (of an IdentityProvider it is NAMESPACE/NAME)';
}

function doubtOfIssuer({ scope }: Revocation, known: readonly KnownProvider[]): string | undefined {
  if (scope.issuer === '') return undefined;
  const ofIssuer = known.filter(({ issuer }) => issuer === scope.issuer);
  if (ofIssuer.length === 0)
    return 'no provider of the service names this issuer: it must be written as it stands in iss, byte for byte';
  if (scope.namespace === '' || ofIssuer.some(({ namespace }) => namespace === scope.namespace)) return undefined;
  return 'no provider of this namespace names this issuer';
}

import { denial } from '../../core/decision.ts';
import { ownMember, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { StepUpSpec } from '../../policy/spec.ts';
import { formatChallenge, type ChallengeParameter } from '../../std/www-authenticate.ts';
import { telling, type AuthorizationInput, type AuthorizationTest } from './authorization-test.ts';

/** Clocks differ (RFC 9470 leaves the tolerance to the resource server). */
const skewSeconds = 30;

/** Compiles `stepUp` (RFC 9470): what is not met is answered with 401 and what would do. A missing claim is not enough (S22). */
export function compileStepUp({ acr, amr, maxAge }: StepUpSpec): AuthorizationTest {
  const contexts = new Set<unknown>(acr);
  const methods = new Set<unknown>(amr);
  const holds = (claims: JsonObject, now: number): boolean =>
    (acr.length === 0 || contexts.has(ownMember(claims, 'acr'))) &&
    (amr.length === 0 || hasOne(ownMember(claims, 'amr'), methods)) &&
    (maxAge === undefined || isRecent(ownMember(claims, 'auth_time'), maxAge, now));
  const asks = {
    ...(acr.length === 0 ? {} : { acr }),
    ...(amr.length === 0 ? {} : { amr }),
    ...(maxAge === undefined ? {} : { maxAge }),
  };
  return telling({ what: 'stepUp', asks, read: shownClaims }, ({ identity, realm, now }) => {
    if (identity.claims !== undefined && holds(identity.claims, now)) return undefined;
    return denial('insufficient_user_authentication', undefined, [challenge(realm, acr, maxAge)]);
  });
}

function shownClaims({ identity: { claims = {} } }: AuthorizationInput): JsonObject {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => ['acr', 'amr', 'auth_time'].includes(name)));
}

function hasOne(claim: JsonValue | undefined, wanted: ReadonlySet<unknown>): boolean {
  return Array.isArray(claim) && claim.some((method) => wanted.has(method));
}

/** `auth_time` is seconds since the epoch (OpenID Connect Core section 2); one in the future is none. */
function isRecent(authTime: JsonValue | undefined, maxAge: number, now: number): boolean {
  if (typeof authTime !== 'number') return false;
  return authTime <= now + skewSeconds && now - authTime <= maxAge + skewSeconds;
}

function challenge(realm: string, acr: readonly string[], maxAge: number | undefined): string {
  const parameters: ChallengeParameter[] = [
    ['realm', realm],
    ['error', 'insufficient_user_authentication'],
  ];
  if (acr.length > 0) parameters.push(['acr_values', acr.join(' ')]);
  if (maxAge !== undefined) parameters.push(['max_age', String(Math.floor(maxAge))]);
  return formatChallenge('Bearer', parameters);
}

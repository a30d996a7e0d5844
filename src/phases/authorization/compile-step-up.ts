import { denial, type Denial } from '../../core/decision.ts';
import { ownMember, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { IdentitySignals } from '../../core/identity.ts';
import type { TracedTest } from '../../core/trace.ts';
import type { StepUpSpec } from '../../policy/spec.ts';
import type { ChallengeParameter } from '../../std/www-authenticate.ts';
import type { ImmediateTest } from './authorization-test.ts';

/** Clocks differ (RFC 9470 leaves the tolerance to the resource server). */
const skewSeconds = 30;

/**
 * Compiles `stepUp` (RFC 9470): what is not met is answered with 401 and what would do. A missing claim is not enough (S22), nor is an
 * authentication from before the issuer signalled that something got worse.
 */
export function compileStepUp({ acr, amr, maxAge }: StepUpSpec): ImmediateTest {
  const contexts = new Set<unknown>(acr);
  const methods = new Set<unknown>(amr);
  const parts: Part[] = [];
  if (acr.length > 0) parts.push({ name: 'acr', claim: 'acr', asks: acr, holds: (claim) => contexts.has(claim) });
  if (amr.length > 0) parts.push({ name: 'amr', claim: 'amr', asks: amr, holds: (claim) => hasOne(claim, methods) });
  if (maxAge !== undefined) {
    const holds: Part['holds'] = (claim, now) => isRecent(claim, maxAge, now);
    parts.push({ name: 'maxAge', claim: 'auth_time', asks: maxAge, holds });
  }
  const error = errorOf(acr, maxAge);
  return ({ identity: { claims, signals }, challenge, now, tell }) => {
    const failed = isOutdated(claims, signals)
      ? parts
      : parts.filter(({ claim, holds }) => claims === undefined || !holds(ownMember(claims, claim), now));
    const objection =
      failed.length === 0 ? undefined : denial('insufficient_user_authentication', undefined, challenge(error));
    if (tell !== undefined) {
      for (const part of parts) tell(describe(part, claims, failed.includes(part) ? objection : undefined));
    }
    return objection;
  };
}

interface Part {
  readonly name: 'acr' | 'amr' | 'maxAge';
  readonly claim: 'acr' | 'amr' | 'auth_time';
  readonly asks: JsonValue;
  readonly holds: (claim: JsonValue | undefined, now: number) => boolean;
}

function describe(
  { name, claim, asks }: Part,
  claims: JsonObject | undefined,
  objection: Denial | undefined,
): TracedTest {
  return { what: `stepUp ${name}`, asks, value: claims && ownMember(claims, claim), objection, block: undefined };
}

function hasOne(claim: JsonValue | undefined, wanted: ReadonlySet<unknown>): boolean {
  return Array.isArray(claim) && claim.some((method) => wanted.has(method));
}

/**
 * Whoever was authenticated before the issuer signalled that the risk rose, the assurance fell or a device no longer complies has to be
 * authenticated again, however well it was done then. Without `auth_time` the token counts from when it was issued.
 */
function isOutdated(claims: JsonObject | undefined, signals: IdentitySignals | undefined): boolean {
  const worsenedAt = signals?.worsenedAt;
  if (worsenedAt === undefined || claims === undefined) return false;
  const since = ownMember(claims, 'auth_time') ?? ownMember(claims, 'iat');
  return typeof since !== 'number' || since <= worsenedAt;
}

/** `auth_time` is seconds since the epoch (OpenID Connect Core section 2); one in the future is none. */
function isRecent(authTime: JsonValue | undefined, maxAge: number, now: number): boolean {
  if (typeof authTime !== 'number') return false;
  return authTime <= now + skewSeconds && now - authTime <= maxAge + skewSeconds;
}

/** RFC 9470 section 3. */
function errorOf(acr: readonly string[], maxAge: number | undefined): readonly ChallengeParameter[] {
  const parameters: ChallengeParameter[] = [['error', 'insufficient_user_authentication']];
  if (acr.length > 0) parameters.push(['acr_values', acr.join(' ')]);
  if (maxAge !== undefined) parameters.push(['max_age', String(Math.floor(maxAge))]);
  return parameters;
}

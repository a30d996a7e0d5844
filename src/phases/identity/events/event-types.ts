import type { IdentitySignals } from '../../../core/identity.ts';
import { ownMember, type JsonObject } from '../../../core/json.ts';

/** What an event of a type asks for. */
export interface EventEffect {
  /** The tokens of the subject that were issued up to the event end. */
  readonly revokes: boolean;
  /** What is so from the event on. */
  readonly facts: IdentitySignals;
}

/** Reads the effect out of the event; a sentence on what is wrong with it. `at` in seconds since the epoch. */
type EffectReader = (event: JsonObject, at: number) => EventEffect | { readonly wrong: string };

interface EventType {
  /** Its name in metrics. */
  readonly name: string;
  readonly read: EffectReader;
}

const revoke: EffectReader = () => ({ revokes: true, facts: {} });
const acknowledge: EffectReader = () => ({ revokes: false, facts: {} });
const disable: EffectReader = (_event, at) => ({ revokes: true, facts: { accountDisabled: true, worsenedAt: at } });
const enable: EffectReader = () => ({ revokes: false, facts: { accountDisabled: false } });

const caep: Readonly<Record<string, EffectReader>> = {
  'session-revoked': revoke,
  // Whoever holds a token with the claims of before must get a new one.
  'token-claims-change': revoke,
  'credential-change': readCredentialChange,
  'assurance-level-change': readAssuranceLevel,
  'device-compliance-change': readDeviceCompliance,
  'risk-level-change': readRiskLevel,
  'session-established': acknowledge,
  'session-presented': acknowledge,
};

const risc: Readonly<Record<string, EffectReader>> = {
  'account-disabled': disable,
  'account-purged': disable,
  'account-enabled': enable,
  'account-credential-change-required': revoke,
  'credential-compromise': revoke,
  'sessions-revoked': revoke,
  'identifier-changed': acknowledge,
  'identifier-recycled': acknowledge,
};

const families: readonly (readonly [prefix: string, types: Readonly<Record<string, EffectReader>>])[] = [
  ['https://schemas.openid.net/secevent/caep/event-type/', caep],
  ['https://schemas.openid.net/secevent/risc/event-type/', risc],
];

/** By the URI in `events`. */
export const eventTypes: ReadonlyMap<string, EventType> = new Map(
  families.flatMap(([prefix, types]) =>
    Object.entries(types).map(([name, read]): [string, EventType] => [`${prefix}${name}`, { name, read }]),
  ),
);

/** Of the stream itself (Shared Signals Framework 1.0 section 8.1.4), under its name and the one of its drafts. */
export const streamEvents: ReadonlyMap<string, 'verification' | 'stream-updated'> = new Map(
  ['ssf', 'sse'].flatMap((family) =>
    (['verification', 'stream-updated'] as const).map(
      (name) => [`https://schemas.openid.net/secevent/${family}/event-type/${name}`, name] as const,
    ),
  ),
);

/** A new credential beside the others takes nothing from the sessions that there are. */
function readCredentialChange(event: JsonObject): ReturnType<EffectReader> {
  const change = ownMember(event, 'change_type');
  if (change === 'create') return { revokes: false, facts: {} };
  if (change === 'revoke' || change === 'update' || change === 'delete') return { revokes: true, facts: {} };
  return wrong('change_type is none of create, revoke, update and delete.');
}

function readAssuranceLevel(event: JsonObject, at: number): ReturnType<EffectReader> {
  const level = ownMember(event, 'current_level');
  if (!isLevel(level)) return wrong('current_level is missing or no level.');
  // Whoever does not say that it rose says that it fell.
  const rose = ownMember(event, 'change_direction') === 'increase';
  return { revokes: false, facts: { assuranceLevel: level, ...(rose ? {} : { worsenedAt: at }) } };
}

function readDeviceCompliance(event: JsonObject, at: number): ReturnType<EffectReader> {
  const status = ownMember(event, 'current_status');
  if (status !== 'compliant' && status !== 'not-compliant')
    return wrong('current_status is neither compliant nor not-compliant.');
  const worse = status === 'not-compliant' ? { worsenedAt: at } : {};
  return { revokes: false, facts: { deviceCompliance: status, ...worse } };
}

const riskLevels: readonly unknown[] = ['LOW', 'MEDIUM', 'HIGH'];

function readRiskLevel(event: JsonObject, at: number): ReturnType<EffectReader> {
  const level = ownMember(event, 'current_level');
  if (typeof level !== 'string' || !riskLevels.includes(level))
    return wrong('current_level is none of LOW, MEDIUM and HIGH.');
  const rank = riskLevels.indexOf(level);
  // Where it does not say what was before, nothing was.
  const rose = rank > Math.max(0, riskLevels.indexOf(ownMember(event, 'previous_level')));
  return { revokes: false, facts: { riskLevel: level, ...(rose ? { worsenedAt: at } : {}) } };
}

function isLevel(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value);
}

function wrong(why: string): { readonly wrong: string } {
  return { wrong: why };
}

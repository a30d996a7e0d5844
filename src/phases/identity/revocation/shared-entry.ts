import { isJsonObject, ownMember, type JsonObject } from '../../../core/json.ts';
import type { IdentitySignals } from '../../../core/identity.ts';
import type { SharedEntry } from '../../../core/ports.ts';
import type { Revocation, Signal } from '../../../core/revocation.ts';
import { readRevocation } from '../../../policy/revocations/read-revocation.ts';
import { parseStrictJson } from '../../../std/strict-json.ts';
import { scopeKey } from './scope-key.ts';

/** What a shared entry says; undefined where it cannot be read, which another version may have written. */
export type ReadShared =
  | { readonly kind: 'revocation'; readonly revocation: Revocation }
  | { readonly kind: 'signal'; readonly signal: Signal };

/** Seconds after the end at which the store may forget it: clocks differ. */
const marginSeconds = 600;

/** `expiresAt` of the revocation is set. Two moments of one subject are two entries: neither may hide the other. */
export function toSharedRevocation(revocation: Revocation, expiresAt: number): SharedEntry {
  const { scope, target, value, issuedBefore } = revocation;
  const text = JSON.stringify({ ...nonEmpty(scope), [target]: value, issuedBefore, expiresAt });
  const key = `revocation ${scopeKey(scope)} ${target} ${issuedBefore ?? 'all'} ${value}`;
  return { key, text, expiresAt: (expiresAt + marginSeconds) * 1000 };
}

export function toSharedSignal(signal: Signal, expiresAt: number): SharedEntry {
  const { scope, target, value, facts, at } = signal;
  const text = JSON.stringify({ signal: { ...nonEmpty(scope), [target]: value }, facts, at });
  const names = Object.keys(facts).sort().join(',');
  return { key: `signal ${scopeKey(scope)} ${target} ${names} ${value}`, text, expiresAt: expiresAt * 1000 };
}

export function readShared(text: string): ReadShared | undefined {
  const json = parseStrictJson(text);
  if (json.kind === 'invalid' || !isJsonObject(json.value)) return undefined;
  const about = ownMember(json.value, 'signal');
  const read = readRevocation(about ?? json.value);
  if ('wrong' in read) return undefined;
  if (about === undefined) return { kind: 'revocation', revocation: read.value };
  const at = ownMember(json.value, 'at');
  const facts = ownMember(json.value, 'facts');
  if (typeof at !== 'number' || !isJsonObject(facts)) return undefined;
  const { scope, target, value } = read.value;
  return { kind: 'signal', signal: { scope, target, value, at, facts: readFacts(facts) } };
}

function readFacts(facts: JsonObject): IdentitySignals {
  const types: Readonly<Record<keyof IdentitySignals, 'string' | 'boolean' | 'number'>> = {
    riskLevel: 'string',
    assuranceLevel: 'string',
    deviceCompliance: 'string',
    accountDisabled: 'boolean',
    worsenedAt: 'number',
  };
  const entries = Object.entries(types).filter(([name, type]) => typeof ownMember(facts, name) === type);
  return Object.fromEntries(entries.map(([name]) => [name, ownMember(facts, name)]));
}

function nonEmpty(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}

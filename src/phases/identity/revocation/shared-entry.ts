import type { IdentitySignals } from '../../../core/identity.ts';
import { isJsonObject, ownMember, type JsonObject } from '../../../core/json.ts';
import type { Revocation, RevocationScope, Signal } from '../../../core/revocation.ts';
import { readRevocation } from '../../../policy/revocations/read-revocation.ts';
import { parseStrictJson } from '../../../std/strict-json.ts';

/** What a shared entry says; its end is told beside it. */
export type ReadShared =
  | { readonly kind: 'revocation'; readonly revocation: Revocation }
  | { readonly kind: 'signal'; readonly signal: Signal };

/** One text for one revocation, whatever its end. */
export function toSharedRevocation({ scope, target, value, issuedBefore }: Revocation): string {
  return JSON.stringify({ ...written(scope), [target]: value, issuedBefore });
}

export function toSharedSignal({ scope, target, value, facts, at }: Signal): string {
  return JSON.stringify({ signal: { ...written(scope), [target]: value }, facts: inOrder(facts), at });
}

/** Undefined where it cannot be read: another version may have written it. */
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

const factTypes: Readonly<Record<keyof IdentitySignals, 'string' | 'boolean' | 'number'>> = {
  riskLevel: 'string',
  assuranceLevel: 'string',
  deviceCompliance: 'string',
  accountDisabled: 'boolean',
  worsenedAt: 'number',
};

function readFacts(facts: JsonObject): IdentitySignals {
  const entries = Object.entries(factTypes).filter(([name, type]) => typeof ownMember(facts, name) === type);
  return Object.fromEntries(entries.map(([name]) => [name, ownMember(facts, name)]));
}

/** The same facts are the same text. */
function inOrder(facts: IdentitySignals): IdentitySignals {
  const given = new Map<string, unknown>(Object.entries(facts));
  return Object.fromEntries(
    Object.keys(factTypes).flatMap((name): [string, unknown][] => (given.has(name) ? [[name, given.get(name)]] : [])),
  );
}

/** Its members as an operator would write them. */
function written(scope: RevocationScope): object {
  return Object.fromEntries(Object.entries(scope).filter(([, value]) => value !== ''));
}

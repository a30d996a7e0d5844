import type { IdentitySignals } from '../../../core/identity.ts';
import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../../../core/json.ts';
import {
  revocationSources,
  type Revocation,
  type RevocationScope,
  type RevocationSource,
  type Signal,
} from '../../../core/revocation.ts';
import { readRevocation } from '../../../policy/revocations/read-revocation.ts';
import { parseStrictJson } from '../../../std/strict-json.ts';

/** What a shared entry says; its end is told beside it. */
export type ReadShared =
  /** `by`: where it came from, as far as that is told. */
  | { readonly kind: 'revocation'; readonly revocation: Revocation; readonly by: RevocationSource | undefined }
  | { readonly kind: 'signal'; readonly signal: Signal };

/** One text for one revocation, whatever its end. */
export function toSharedRevocation({ scope, target, value, issuedBefore }: Revocation, by?: RevocationSource): string {
  const revocation = { ...written(scope), [target]: value, issuedBefore };
  return JSON.stringify(by === undefined ? revocation : { by, revocation });
}

export function toSharedSignal({ scope, target, value, facts, at }: Signal): string {
  return JSON.stringify({ signal: { ...written(scope), [target]: value }, facts: inOrder(facts), at });
}

/** Undefined where it cannot be read: another version may have written it. */
export function readShared(text: string): ReadShared | undefined {
  const json = parseStrictJson(text);
  if (json.kind === 'invalid' || !isJsonObject(json.value)) return undefined;
  const by = ownMember(json.value, 'by');
  if (by !== undefined) return readAttributed(by, ownMember(json.value, 'revocation'));
  const about = ownMember(json.value, 'signal');
  const read = readRevocation(about ?? json.value);
  if ('wrong' in read) return undefined;
  if (about === undefined) return { kind: 'revocation', revocation: read.value, by: undefined };
  const at = ownMember(json.value, 'at');
  const facts = ownMember(json.value, 'facts');
  if (typeof at !== 'number' || !isJsonObject(facts)) return undefined;
  const { scope, target, value } = read.value;
  return { kind: 'signal', signal: { scope, target, value, at, facts: readFacts(facts) } };
}

function readAttributed(by: JsonValue, revocation: JsonValue | undefined): ReadShared | undefined {
  const source = revocationSources.find((one) => one === by);
  if (source === undefined || revocation === undefined) return undefined;
  const read = readRevocation(revocation);
  return 'wrong' in read ? undefined : { kind: 'revocation', revocation: read.value, by: source };
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

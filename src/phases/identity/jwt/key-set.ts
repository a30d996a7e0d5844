import { Failure } from '../../../core/failure.ts';
import { isJsonObject, ownMember, type JsonValue } from '../../../core/json.ts';
import { parseStrictJsonBytes } from '../../../std/strict-json.ts';
import { judgeJwk, type PublicJwk } from './judge-jwk.ts';
import { importSignatureKey, type SignatureKey } from './signature-key.ts';

/** The usable keys of one issuer, ready to verify. Immutable: newer keys are another KeySet. */
export interface KeySet {
  readonly keys: readonly VerificationKey[];
  readonly fingerprints: ReadonlySet<string>;
  /** Which keys of the document were left out and why; names are shortened and escaped. */
  readonly leftOut: readonly string[];
}

export interface VerificationKey {
  readonly kid: string | undefined;
  /** Equal for equal keys of two sets: same id, same material, same algorithms. */
  readonly fingerprint: string;
  /** By JWS algorithm, only those that the provider allows. */
  readonly forAlgorithm: ReadonlyMap<string, SignatureKey>;
}

/**
 * Reads a JWK Set (RFC 7517 section 5). Keys that cannot be used are left out one by one and named. Throws a Failure, so that a caller
 * keeps what it has: `jwks_malformed` for what is no set, `jwks_too_many` above `maxKeys`, `jwks_empty` where no key is usable.
 */
export async function readKeySet(bytes: Uint8Array, algorithms: ReadonlySet<string>, maxKeys: number): Promise<KeySet> {
  const entries = parseJwks(bytes, maxKeys);
  const read = await Promise.all(entries.map((entry, index) => readKey(entry, index, algorithms)));
  const keys = read.flatMap((one) => (typeof one === 'object' ? [one] : []));
  const leftOut = read.filter((one) => typeof one === 'string');
  if (keys.length === 0) {
    throw new Failure('jwks_empty', ['the key set has no usable key', ...leftOut].join('; '));
  }
  return { keys, fingerprints: new Set(keys.map((key) => key.fingerprint)), leftOut };
}

/** Whether `readKeySet` would find something in it to work with. */
export function isReadableKeySet(text: string, maxKeys: number): boolean {
  try {
    return parseJwks(new TextEncoder().encode(text), maxKeys).some((entry) => judgeJwk(entry).kind === 'usable');
  } catch {
    return false;
  }
}

/** The keys that may have signed: those with the token's key id, or all where it names none; of these, the ones fit for the algorithm. */
export function findKeys(set: KeySet, kid: string | undefined, alg: string): readonly VerificationKey[] {
  return set.keys.filter((key) => (kid === undefined || key.kid === kid) && key.forAlgorithm.has(alg));
}

/** One line on the keys left out; undefined where there are none. */
export function describeLeftOut(set: KeySet): string | undefined {
  const { leftOut } = set;
  if (leftOut.length === 0) return undefined;
  const named = leftOut.slice(0, 10).join('; ');
  return leftOut.length > 10 ? `${named}; and ${leftOut.length - 10} more` : named;
}

/** A member that comes twice does not spoil the set: RFC 7517 section 4 lets the last one count. */
function parseJwks(bytes: Uint8Array, maxKeys: number): readonly JsonValue[] {
  const json = parseStrictJsonBytes(bytes, { duplicates: 'last-wins' });
  if (json.kind === 'invalid') throw new Failure('jwks_malformed', `the key set is not JSON (${json.reason})`);
  const keys = isJsonObject(json.value) ? ownMember(json.value, 'keys') : undefined;
  if (!Array.isArray(keys)) throw new Failure('jwks_malformed', 'the key set is not an object with an array of keys');
  if (keys.length > maxKeys) throw new Failure('jwks_too_many', `the key set has more than ${maxKeys} keys`);
  return keys;
}

/** The key; text on why it was left out; undefined for a key that is for something else. */
async function readKey(
  entry: JsonValue,
  index: number,
  algorithms: ReadonlySet<string>,
): Promise<VerificationKey | string | undefined> {
  const judged = judgeJwk(entry);
  switch (judged.kind) {
    case 'not-for-signatures':
      return undefined;
    case 'refused':
      return `key ${nameOf(entry, index)} left out: ${judged.why}`;
    case 'usable':
      try {
        return await importKey(judged.jwk, algorithms);
      } catch {
        return `key ${nameOf(entry, index)} left out: it cannot be imported`;
      }
  }
}

/** Imports for every algorithm that the key fits, so that a bad point is found also where the provider allows none of them. */
async function importKey(jwk: PublicJwk, allowed: ReadonlySet<string>): Promise<VerificationKey> {
  const imported = await Promise.all(
    jwk.algorithms.map(async (alg) => [alg, await importSignatureKey(jwk.material, alg)] as const),
  );
  return {
    kid: jwk.kid,
    fingerprint: JSON.stringify([jwk.kid, jwk.algorithms, jwk.material]),
    forAlgorithm: new Map(imported.filter(([alg]) => allowed.has(alg))),
  };
}

/** The key id, at most 40 characters and nothing but harmless ones, or the index in the document. */
function nameOf(entry: JsonValue, index: number): string {
  const kid = isJsonObject(entry) ? ownMember(entry, 'kid') : undefined;
  if (typeof kid !== 'string' || kid === '') return `#${index}`;
  const safe = kid.slice(0, 40).replaceAll(/[^A-Za-z0-9._~+/=:@-]/g, '?');
  return `"${safe}${kid.length > 40 ? '…' : ''}"`;
}

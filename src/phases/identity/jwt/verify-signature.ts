import { denial, type Denial } from '../../../core/decision.ts';
import type { KeyCache } from './key-cache.ts';
import { findKeys, type KeySet, type VerificationKey } from './key-set.ts';

/** A token that passed everything but its signature. */
export interface UnverifiedToken {
  readonly text: string;
  readonly alg: string;
  readonly kid: string | undefined;
}

export type SignatureVerdict = { readonly key: VerificationKey } | { readonly denial: Denial };

/**
 * Verifies the signature with the keys in force, at once where that is cheap. Where newer keys might change the answer (an unknown key id, a
 * signature that is wrong, or no key id and no key that fits), waits for one fetch, if one may be made, and tries again.
 */
export function verifySignature(token: UnverifiedToken, keys: KeyCache): SignatureVerdict | Promise<SignatureVerdict> {
  const set = keys.current();
  if (set === undefined) return verifyWhenLoaded(token, keys);
  const verdict = verifyWithKeys(token, set);
  if (verdict instanceof Promise) return verdict.then((late) => tryNewerKeys(token, keys, set, late));
  return 'key' in verdict ? verdict : tryNewerKeys(token, keys, set, verdict);
}

/** Only while the very first load is under way does this wait. */
async function verifyWhenLoaded(token: UnverifiedToken, keys: KeyCache): Promise<SignatureVerdict> {
  await keys.firstLoad;
  const set = keys.current();
  if (set === undefined) return { denial: denial('keys_unavailable') };
  return tryNewerKeys(token, keys, set, await verifyWithKeys(token, set));
}

async function tryNewerKeys(
  token: UnverifiedToken,
  keys: KeyCache,
  from: KeySet,
  first: SignatureVerdict,
): Promise<SignatureVerdict> {
  let set = from;
  let verdict = first;
  // Twice, because the first wait may have joined a fetch that began before the issuer had the key.
  for (let asked = 0; asked < 2 && 'denial' in verdict && newerKeysMayHelp(token, set, verdict.denial); asked++) {
    // Others may have brought newer ones while this signature was looked at.
    if (keys.current() === set) {
      const fetched = keys.refresh();
      if (fetched === undefined) break;
      await fetched;
    }
    const newer = keys.current();
    if (newer === undefined) return { denial: denial('keys_unavailable') };
    if (newer === set) continue;
    set = newer;
    verdict = await verifyWithKeys(token, set);
  }
  return verdict;
}

/**
 * A token may be signed with a key that is not here yet, also under a key id that is: issuers rotate under the same one. Where the key of
 * that id does not fit the algorithm, the token is not of it.
 */
function newerKeysMayHelp(token: UnverifiedToken, set: KeySet, { code }: Denial): boolean {
  return code === 'token_signature' || token.kid === undefined || !set.keys.some((key) => key.kid === token.kid);
}

/** So many signatures may be looked at while the other requests wait: a token without a key id is tried with every key. */
const maxAtOnce = 4;

/** Tries those of the keys that may have signed. */
export function verifyWithKeys(token: UnverifiedToken, set: KeySet): SignatureVerdict | Promise<SignatureVerdict> {
  const candidates = findKeys(set, token.kid, token.alg);
  const checks = candidates.flatMap((key) => key.forAlgorithm.get(token.alg)?.verifyNow ?? []);
  if (candidates.length > maxAtOnce || checks.length < candidates.length) return verifyInTurn(token, candidates);
  const signer = checks.findIndex((verifyNow) => verifyNow(token.text));
  return toVerdict(candidates[signer], candidates);
}

async function verifyInTurn(
  { text, alg }: UnverifiedToken,
  candidates: readonly VerificationKey[],
): Promise<SignatureVerdict> {
  for (const key of candidates) {
    if ((await key.forAlgorithm.get(alg)?.verify(text)) === true) return { key };
  }
  return toVerdict(undefined, candidates);
}

function toVerdict(signer: VerificationKey | undefined, candidates: readonly VerificationKey[]): SignatureVerdict {
  if (signer !== undefined) return { key: signer };
  return { denial: denial(candidates.length === 0 ? 'token_key' : 'token_signature') };
}

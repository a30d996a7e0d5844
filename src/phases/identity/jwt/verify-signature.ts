import { compactVerify, errors } from 'jose';
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
 * Verifies the signature with the keys in force. Where newer keys might change the answer (an unknown key id, a signature that is wrong,
 * or no key id and no key that fits), waits for one fetch, if one may be made, and tries again.
 */
export async function verifySignature(token: UnverifiedToken, keys: KeyCache): Promise<SignatureVerdict> {
  // Only while the very first load is under way does this wait.
  if (keys.current() === undefined) await keys.firstLoad;
  let set = keys.current();
  if (set === undefined) return { denial: denial('keys_unavailable') };
  let verdict = await verifyWithKeys(token, set);
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

/** Tries those of the keys that may have signed. */
export async function verifyWithKeys(token: UnverifiedToken, set: KeySet): Promise<SignatureVerdict> {
  const candidates = findKeys(set, token.kid, token.alg);
  for (const key of candidates) {
    const imported = key.forAlgorithm.get(token.alg);
    if (imported === undefined) continue;
    try {
      await compactVerify(token.text, imported, { algorithms: [token.alg] });
      return { key };
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
    }
  }
  return { denial: denial(candidates.length === 0 ? 'token_key' : 'token_signature') };
}

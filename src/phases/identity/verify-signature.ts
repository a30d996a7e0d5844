import { compactVerify, errors } from 'jose';
import { denial, type Denial } from '../../core/decision.ts';
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
 * Verifies the signature with the keys in force. Where newer keys might change the answer (an unknown key id, or none and no key fits),
 * waits for one fetch, if one may be made, and tries again.
 */
export async function verifySignature(token: UnverifiedToken, keys: KeyCache): Promise<SignatureVerdict> {
  // Only while the very first load is under way does this wait.
  if (keys.current() === undefined) await keys.firstLoad;
  let set = keys.current();
  if (set === undefined) return { denial: denial('keys_unavailable') };
  let verdict = await verifyWithKeys(token, set);
  // Twice, because the first wait may have joined a fetch that began before the issuer had the key.
  for (let asked = 0; asked < 2 && 'denial' in verdict && newerKeysMayHelp(token, set); asked++) {
    const fetched = keys.refresh();
    if (fetched === undefined) break;
    await fetched;
    const newer = keys.current();
    if (newer === undefined) return { denial: denial('keys_unavailable') };
    if (newer === set) continue;
    set = newer;
    verdict = await verifyWithKeys(token, set);
  }
  return verdict;
}

/** A key id that is known says which key it must be; a token without one may be signed with a key that is not here yet. */
function newerKeysMayHelp(token: UnverifiedToken, set: KeySet): boolean {
  return token.kid === undefined || !set.keys.some((key) => key.kid === token.kid);
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

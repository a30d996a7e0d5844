import { compactVerify, errors, importJWK, type CryptoKey } from 'jose';
import { createBoundedCache } from '../../../std/bounded-cache.ts';
import type { Proof } from './parse-proof.ts';

/** Verifies the signatures of proofs with the keys that they bring (RFC 9449 4.3, check 6). Keys that were imported once are kept, within a bound. */
export interface ProofKeys {
  /** False also for a key that cannot be imported: a point that is not on its curve. */
  verify(proof: Proof): Promise<boolean>;
}

const maxKeys = 5_000;

export function createProofKeys(): ProofKeys {
  const known = createBoundedCache<CryptoKey>({ maxEntries: maxKeys, maxBytes: maxKeys });
  const importKey = async ({ key, alg, jkt }: Proof): Promise<CryptoKey | undefined> => {
    const name = `${alg} ${jkt}`;
    const before = known.get(name);
    if (before !== undefined) return before;
    const imported = await importJWK({ ...key.material }, alg).catch(() => undefined);
    if (imported === undefined || imported instanceof Uint8Array) return undefined;
    known.set(name, imported, 1);
    return imported;
  };
  return {
    async verify(proof) {
      const key = await importKey(proof);
      if (key === undefined) return false;
      try {
        await compactVerify(proof.text, key, { algorithms: [proof.alg] });
        return true;
      } catch (error) {
        if (error instanceof errors.JOSEError) return false;
        throw error;
      }
    },
  };
}

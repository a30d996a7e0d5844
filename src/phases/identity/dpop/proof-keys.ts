import { createBoundedCache } from '../../../std/bounded-cache.ts';
import { importSignatureKey, type SignatureKey } from '../jwt/signature-key.ts';
import type { Proof } from './parse-proof.ts';

/** Verifies the signatures of proofs with the keys that they bring (RFC 9449 4.3, check 6). Keys that were imported once are kept, within a bound. */
export interface ProofKeys {
  /** False also for a key that cannot be imported: a point that is not on its curve. */
  verify(proof: Proof): boolean | Promise<boolean>;
}

const maxKeys = 5_000;

export function createProofKeys(): ProofKeys {
  const known = createBoundedCache<SignatureKey>({ maxEntries: maxKeys, maxBytes: maxKeys });
  const verifyWithNew = async (proof: Proof, name: string): Promise<boolean> => {
    const imported = await importSignatureKey(proof.key.material, proof.alg).catch(() => undefined);
    if (imported === undefined) return false;
    known.set(name, imported, 1);
    return verifyWith(imported, proof);
  };
  return {
    verify(proof) {
      const name = `${proof.alg} ${proof.jkt}`;
      const key = known.get(name);
      return key === undefined ? verifyWithNew(proof, name) : verifyWith(key, proof);
    },
  };
}

function verifyWith({ verifyNow, verify }: SignatureKey, { text }: Proof): boolean | Promise<boolean> {
  return verifyNow === undefined ? verify(text) : verifyNow(text);
}

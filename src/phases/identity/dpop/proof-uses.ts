import type { ReplayStore } from '../../../core/ports.ts';
import type { Request } from '../../../core/request.ts';
import { sha256Base64url } from '../../../std/sha256.ts';
import type { Proof } from './parse-proof.ts';

/** Sees to it that a proof is used for one request alone (RFC 9449 11.1). */
export interface ProofUses {
  /**
   * True where the request is the first one with the proof. However many rules and providers judge the proof of one request, it is used
   * once. `ttlMs`: how long the proof could be accepted. Rejects as `ReplayStore.remember` does.
   */
  use(request: Request, proof: Proof, ttlMs: number): boolean | Promise<boolean>;
}

/**
 * Kept by a digest, so that a long `jti` takes no more room than another; with key, method and URI, as two clients may choose one `jti`. All
 * of it is as the proof writes it: a request that writes its host in another way makes no other proof of it.
 */
export function createProofUses(store: ReplayStore): ProofUses {
  const ofRequest = new WeakMap<Request, Map<string, boolean | Promise<boolean>>>();
  return {
    use(request, { jkt, jti, htm, htu }, ttlMs) {
      const key = `dpop:${sha256Base64url(JSON.stringify([jkt, jti, htm, htu]))}`;
      const used = ofRequest.get(request) ?? new Map<string, boolean | Promise<boolean>>();
      ofRequest.set(request, used);
      const known = used.get(key);
      if (known !== undefined) return known;
      const isFirst = store.remember(key, ttlMs);
      used.set(key, isFirst);
      return isFirst;
    },
  };
}

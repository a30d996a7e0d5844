import type { Clock } from '../../../core/ports.ts';
import { hmacSha256Base64url } from '../../../std/hmac.ts';
import { isSameSecret } from '../../../std/same-secret.ts';

/**
 * Nonces of the server (RFC 9449 section 9) that nobody has to remember: each is the HMAC of a slot of time. Whoever has the key makes the
 * same ones, so replicas with one key accept each other's.
 */
export interface DpopNonces {
  current(): string;
  /** `old`: still good, and about to end. */
  judge(nonce: string): 'good' | 'old' | 'refused';
}

/** A nonce is good during its slot and the next one: two and a half to five minutes. */
const slotMs = 150_000;

export function createDpopNonces(key: Uint8Array | string, clock: Clock): DpopNonces {
  const known = new Map<number, string>();
  const nonceOf = (slot: number): string => {
    const before = known.get(slot);
    if (before !== undefined) return before;
    if (known.size >= 8) known.clear();
    const nonce = hmacSha256Base64url(key, `portcullis dpop nonce ${slot}`).slice(0, 22);
    known.set(slot, nonce);
    return nonce;
  };
  const currentSlot = (): number => Math.floor(clock.now() / slotMs);
  return {
    current: () => nonceOf(currentSlot()),
    judge(nonce) {
      const slot = currentSlot();
      // One slot ahead is that of a replica whose clock is ahead of ours.
      if ([slot, slot + 1].some((good) => isSameSecret(nonce, nonceOf(good)))) return 'good';
      return isSameSecret(nonce, nonceOf(slot - 1)) ? 'old' : 'refused';
    },
  };
}

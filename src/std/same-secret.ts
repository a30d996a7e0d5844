import { createHash, timingSafeEqual } from 'node:crypto';

/** True where the texts are equal; how long it takes tells nothing of either. */
export function isSameSecret(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

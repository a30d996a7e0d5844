import { createHmac } from 'node:crypto';

/** Turns texts into digests that say nothing of them to whoever has not the key. */
export type KeyedDigest = (text: string) => string;

/** HMAC-SHA-256, in base64. The key is to be random, of at least 128 bits, and kept by nobody else. */
export function createKeyedDigest(key: string): KeyedDigest {
  return (text) => createHmac('sha256', key).update(text, 'utf8').digest('base64');
}

import { createHmac } from 'node:crypto';

/** The HMAC-SHA-256 of the text's UTF-8 under the key, as base64url. */
export function hmacSha256Base64url(key: Uint8Array | string, text: string): string {
  return createHmac('sha256', key).update(text, 'utf8').digest('base64url');
}

/** Turns texts into digests that say nothing of them to whoever has not the key. */
export type KeyedDigest = (text: string) => string;

/** HMAC-SHA-256, in base64. The key is to be random, of at least 128 bits, and kept by nobody else. */
export function createKeyedDigest(key: string): KeyedDigest {
  return (text) => createHmac('sha256', key).update(text, 'utf8').digest('base64');
}

import { createHmac } from 'node:crypto';
import { isSameBytes } from './is-same-bytes.ts';

/** The HMAC-SHA-256 of the text's UTF-8 under the key, as base64url. */
export function hmacSha256Base64url(key: Uint8Array | string, text: string): string {
  return createHmac('sha256', key).update(text, 'utf8').digest('base64url');
}

/** Compares two texts in a time that says nothing of where they differ, only of their lengths. */
export function isEqualInConstantTime(a: string, b: string): boolean {
  return isSameBytes(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

/** Turns texts into digests that say nothing of them to whoever has not the key. */
export type KeyedDigest = (text: string) => string;

/** HMAC-SHA-256, in base64. The key is to be random, of at least 128 bits, and kept by nobody else. */
export function createKeyedDigest(key: string): KeyedDigest {
  return (text) => createHmac('sha256', key).update(text, 'utf8').digest('base64');
}

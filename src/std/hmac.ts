import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { isSameBytes } from './is-same-bytes.ts';

/** A secret that nothing prints. */
export type HmacKey = KeyObject;

/** Throws where there are no bytes. */
export function createHmacKey(bytes: Uint8Array): HmacKey {
  return createSecretKey(bytes);
}

/** Whether the code is that of the text's UTF-8 (RFC 2104), compared in a time that does not depend on where they differ. */
export function isHmac(hash: 'sha256' | 'sha384' | 'sha512', key: HmacKey, text: string, code: Uint8Array): boolean {
  return isSameBytes(createHmac(hash, key).update(text, 'utf8').digest(), code);
}

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

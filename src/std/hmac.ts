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

import { createHash, hash } from 'node:crypto';

/** The SHA-256 of the text's UTF-8, in base64 with padding. */
export function sha256Base64(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('base64');
}

/** The SHA-256 of the text's UTF-8. */
export function sha256Bytes(text: string): Uint8Array {
  return hash('sha256', text, 'buffer');
}

/** The SHA-256 of the text's UTF-8, as base64url without padding: 43 characters. */
export function sha256Base64url(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('base64url');
}

/** The first 64 bits of the SHA-256 of the text's UTF-8. */
export function sha256Head(text: string): bigint {
  return createHash('sha256').update(text, 'utf8').digest().readBigUInt64BE();
}

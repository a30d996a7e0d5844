import { createHash } from 'node:crypto';

/** The SHA-256 of the DER of a certificate (RFC 8705 3.1 `x5t#S256`, before its encoding). */
export function thumbprintOf(der: Uint8Array): Uint8Array {
  return createHash('sha256').update(der).digest();
}

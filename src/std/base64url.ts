const alphabet = /^[A-Za-z0-9_-]+$/;

/**
 * Decodes base64url without padding (RFC 7515 section 2, RFC 4648 section 5). Undefined for the empty text, a character outside the
 * alphabet (white space, `+`, `/`, `=`), an impossible length, and unused bits that are not zero: one value has one spelling.
 */
export function decodeBase64url(text: string): Uint8Array | undefined {
  if (!alphabet.test(text) || text.length % 4 === 1) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

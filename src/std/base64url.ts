/**
 * Decodes base64url without padding (RFC 7515 section 2, RFC 4648 section 5). Undefined for the empty text, a character outside the
 * alphabet (white space, `+`, `/`, `=`), an impossible length, and unused bits that are not zero: one value has one spelling.
 */
export function decodeBase64url(text: string): Uint8Array | undefined {
  if (text === '') return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // Node passes over what it does not know; what it made of the text is written as the text alone where there was nothing of the kind.
  return bytes.toString('base64url') === text ? bytes : undefined;
}

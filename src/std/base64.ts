/**
 * Decodes base64 with padding or base64url without (RFC 4648 sections 4 and 5). Undefined for the empty text and for any other spelling:
 * white space, a mixture of the two, padding that is missing or too much, unused bits that are not zero.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text === '') return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text || bytes.toString('base64url') === text ? bytes : undefined;
}

const alphabet = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Decodes base64 (RFC 4648 section 4), padded, or unpadded as the PHC string format has it. Undefined for the empty text, white space or another
 * character, an impossible length, wrong padding, and unused bits that are not zero: one value has one spelling.
 */
export function decodeSpelledBase64(text: string, padding: 'padded' | 'unpadded'): Uint8Array | undefined {
  if (!alphabet.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  const spelled = bytes.toString('base64');
  return (padding === 'padded' ? spelled : spelled.replace(/=+$/, '')) === text ? bytes : undefined;
}

/** The text of UTF-8 bytes; undefined where they are none. A byte order mark is kept: it is a character as others are. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

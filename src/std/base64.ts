/**
 * Decodes base64 with padding or base64url without (RFC 4648 sections 4 and 5). Undefined for the empty text and for any other spelling:
 * white space, a mixture of the two, padding that is missing or too much, unused bits that are not zero.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text === '') return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text || bytes.toString('base64url') === text ? bytes : undefined;
}

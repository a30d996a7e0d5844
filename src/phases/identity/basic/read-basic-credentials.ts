import { decodeSpelledBase64, decodeUtf8 } from '../../../std/base64.ts';

export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

/** C0, DEL and C1: RFC 7617 section 2 has none in either part. */
const control = /\p{Cc}/u;
const maxUserBytes = 255;
const maxPasswordBytes = 1024;

/**
 * Reads what stands behind `Basic` (RFC 7617 section 2): base64 of UTF-8, and in it a name, a colon and a password, which may hold colons and
 * may be empty. `why` is a sentence that holds nothing of either.
 */
export function readBasicCredentials(token: string): BasicCredentials | { readonly why: string } {
  const bytes = decodeSpelledBase64(token, 'padded');
  if (bytes === undefined) return { why: 'The credential is not base64.' };
  const text = decodeUtf8(bytes);
  if (text === undefined) return { why: 'The credential is not UTF-8.' };
  if (control.test(text)) return { why: 'The credential holds a control character.' };
  const colon = text.indexOf(':');
  if (colon < 0) return { why: 'The credential has no colon between name and password.' };
  if (colon === 0) return { why: 'The credential has no name.' };
  const [user, password] = [text.slice(0, colon), text.slice(colon + 1)];
  if (Buffer.byteLength(user) > maxUserBytes) return { why: `The name is longer than ${maxUserBytes} bytes.` };
  if (Buffer.byteLength(password) > maxPasswordBytes)
    return { why: `The password is longer than ${maxPasswordBytes} bytes.` };
  return { user, password };
}

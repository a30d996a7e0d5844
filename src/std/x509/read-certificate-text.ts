/** Of the text as proxies send it; a certificate of a client has one or two thousand. */
export const maxCertificateCharacters = 16_384;

const escape = /%([0-9A-Fa-f]{2})/g;
const encodedText = /^(?:[\x21-\x24\x26-\x7e]|%[0-7][0-9A-Fa-f])+$/;
const pem = /^-----BEGIN CERTIFICATE-----\n((?:[A-Za-z0-9+/]{1,76}={0,2}\n){1,400})-----END CERTIFICATE-----\n?$/;

/**
 * The DER of a certificate that a proxy sends as URL-encoded PEM (Envoy `Peer.certificate`, `Cert` of x-forwarded-client-cert). Undefined
 * where the text is too long, is encoded in another way, holds anything beside one certificate (RFC 7468 section 5), or has base64 of
 * another spelling than its own. What the DER holds is not looked at but for its length.
 */
export function readCertificateText(text: string): Uint8Array | undefined {
  if (text.length > maxCertificateCharacters || !encodedText.test(text)) return undefined;
  const decoded = text.replaceAll(escape, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return readPemCertificate(decoded);
}

/** The DER of the one certificate of a PEM text, as above. */
export function readPemCertificate(text: string): Uint8Array | undefined {
  const body = text.length > maxCertificateCharacters ? undefined : pem.exec(text)?.[1];
  if (body === undefined) return undefined;
  const base64 = body.replaceAll('\n', '');
  const bytes = Buffer.from(base64, 'base64');
  return bytes.toString('base64') === base64 && isOneSequence(bytes) ? bytes : undefined;
}

/** One DER SEQUENCE with a long length, which reaches to the end. */
function isOneSequence(bytes: Buffer): boolean {
  if (bytes[0] !== 0x30) return false;
  if (bytes[1] === 0x81) return bytes.length === 3 + (bytes[2] ?? 0);
  return bytes[1] === 0x82 && bytes.length > 3 && bytes.length === 4 + bytes.readUInt16BE(2);
}

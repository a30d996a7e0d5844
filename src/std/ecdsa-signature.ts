/**
 * A signature of ECDSA as X9.62 writes it (`SEQUENCE { r INTEGER, s INTEGER }`, DER), which is what OpenSSL reads, out of the form of JWS
 * (RFC 7518 section 3.4): both numbers of `bytes` octets one behind the other, at most 60 octets each. Undefined for another length.
 */
export function derSignature(signature: Uint8Array, bytes: number): Uint8Array | undefined {
  if (signature.length !== 2 * bytes || bytes > maxBytes) return undefined;
  const r = firstOctet(signature, 0, bytes);
  const s = firstOctet(signature, bytes, 2 * bytes);
  const rLength = lengthOf(signature, r, bytes);
  const sLength = lengthOf(signature, s, 2 * bytes);
  const der = new Uint8Array(6 + rLength + sLength);
  der[0] = 0x30;
  der[1] = 4 + rLength + sLength;
  writeInteger(der, 2, signature.subarray(r, bytes), rLength);
  writeInteger(der, 4 + rLength, signature.subarray(s, 2 * bytes), sLength);
  return der;
}

/** So that every length is one octet: curves up to 480 bits. */
const maxBytes = 60;

/** Where the number begins behind its leading zeros; of zero itself the last octet is left. */
function firstOctet(octets: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to - 1 && octets[at] === 0) at++;
  return at;
}

/** Of the number as an INTEGER, which is negative where its highest bit is set: a zero stands before it then. */
function lengthOf(octets: Uint8Array, from: number, to: number): number {
  return to - from + ((octets[from] ?? 0) >= 0x80 ? 1 : 0);
}

function writeInteger(der: Uint8Array, at: number, octets: Uint8Array, length: number): void {
  der[at] = 0x02;
  der[at + 1] = length;
  der.set(octets, at + 2 + length - octets.length);
}

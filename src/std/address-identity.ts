import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** True where the server is named by its address. */
export function isAddress(host: string): boolean {
  return isIP(host) !== 0;
}

/** Judges a certificate by the server's address, whatever name was asked for: undefined, or why it is not of that address. */
export function identityOfAddress(address: string): (name: string, certificate: PeerCertificate) => Error | undefined {
  return (_name, certificate) => checkServerIdentity(address, certificate);
}

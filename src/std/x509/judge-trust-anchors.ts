import { X509Certificate } from 'node:crypto';
import { describeUnreadable, readPemBlocks } from './pem-blocks.ts';

/**
 * Why a PEM text cannot say whom TLS is to trust, a clause; undefined where it can. Node takes an empty one for "whom the system trusts", so
 * it must have a certificate, and each must be whole.
 */
export function judgeTrustAnchors(text: string): string | undefined {
  const { blocks, unreadable } = readPemBlocks(text, 'CERTIFICATE');
  if (unreadable > 0) return describeUnreadable(unreadable);
  if (blocks.length === 0) return 'there is no PEM certificate';
  return blocks.every(isCertificate) ? undefined : 'a certificate cannot be read';
}

function isCertificate(der: Buffer): boolean {
  try {
    return new X509Certificate(der).raw.equals(der);
  } catch {
    return false;
  }
}

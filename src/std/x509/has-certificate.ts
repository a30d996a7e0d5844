import { X509Certificate } from 'node:crypto';
import { readPemBlocks } from './pem-blocks.ts';

/** Whether at least one PEM certificate of the text can be read; who issued it and what for does not matter. */
export function hasCertificate(text: string): boolean {
  return readPemBlocks(text, 'CERTIFICATE').blocks.some(isCertificate);
}

function isCertificate(der: Buffer): boolean {
  try {
    return new X509Certificate(der).raw.length > 0;
  } catch {
    return false;
  }
}

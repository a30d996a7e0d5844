import { open } from 'node:fs/promises';
import { Failure, messageOf } from '../core/failure.ts';

const minKeyBytes = 32;
const maxKeyBytes = 4096;

/**
 * The bytes that DPoP nonces are made with; undefined where no file is named. Throws a Failure `dpop_nonce_key` where the file cannot be read
 * or is no key.
 */
export async function readDpopNonceKey(path: string | undefined): Promise<Uint8Array | undefined> {
  if (path === undefined) return undefined;
  const bytes = await readAtMost(path, maxKeyBytes + 1).catch((cause: unknown) => {
    throw new Failure('dpop_nonce_key', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  });
  if (bytes.length < minKeyBytes || bytes.length > maxKeyBytes)
    throw new Failure('dpop_nonce_key', `${path} is no key: it must have ${minKeyBytes} to ${maxKeyBytes} bytes`);
  return bytes;
}

async function readAtMost(path: string, length: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return Uint8Array.from(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

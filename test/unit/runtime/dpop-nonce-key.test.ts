import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readDpopNonceKey } from '../../../src/runtime/dpop-nonce-key.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-nonce-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(bytes: Uint8Array | undefined): Promise<Uint8Array | undefined> {
  const path = join(folder, 'key');
  await rm(path, { force: true });
  if (bytes !== undefined) await writeFile(path, bytes);
  return readDpopNonceKey(path);
}

test('the bytes of the file are the key; without a file there is none', async () => {
  const key = Uint8Array.from({ length: 32 }, (_byte, index) => index);
  expect(await read(key)).toEqual(key);
  expect(await readDpopNonceKey(undefined)).toBe(undefined);
});

test.each([
  ['is missing', undefined],
  ['is empty', new Uint8Array()],
  ['is short', new Uint8Array(31)],
  ['is no key', new Uint8Array(5000)],
])('a file that %s is refused, and nothing of it is told', async (_name, bytes) => {
  await expect(read(bytes)).rejects.toMatchObject({ code: 'dpop_nonce_key', message: expect.stringContaining(folder) });
});

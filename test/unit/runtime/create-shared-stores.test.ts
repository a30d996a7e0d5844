import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../../src/runtime/config/load-config.ts';
import { createSharedStores } from '../../../src/runtime/create-shared-stores.ts';
import { createSystemServiceIo } from '../../../src/runtime/system-service-io.ts';
import { createAuthority } from '../../support/certificates.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-stores-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** How the start ends with a file of authorities that holds the text. */
async function start(text: string): Promise<string> {
  const path = join(folder, 'ca.crt');
  await writeFile(path, text);
  const flags = new Map([
    ['--policies', ['policies']],
    ['--redis-url', ['rediss://127.0.0.1:1/0']],
    ['--redis-ca-file', [path]],
  ]);
  const resolved = await loadConfig(flags, {});
  if (!resolved.ok) throw new Error('the settings are valid');
  const logTo = join(folder, 'log');
  const io = createSystemServiceIo(resolved.config, { version: '1.2.3', logTo, processMetrics: false });
  try {
    (await createSharedStores(resolved.config, io)).close();
    return 'started';
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'another error';
  } finally {
    await io.observation.close();
  }
}

test('a file of authorities for Redis without any keeps the service from starting, and one with some does not', async () => {
  expect([await start(''), await start(createAuthority().certificate)]).toEqual(['store_ca', 'started']);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../../src/runtime/config/load-config.ts';
import { outline, problemsOf } from './config-fixtures.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('flags, variables and the file that --config names come together', async () => {
  const path = join(folder, 'config.yaml');
  await writeFile(path, 'policies: from-file\nmaxHeaders: 11\ntrustedHops: 1\n');
  const flags = new Map([
    ['--config', [path]],
    ['--max-headers', ['12']],
    ['--allow-private-addresses', ['true']],
  ]);
  const resolved = await loadConfig(flags, { PORTCULLIS_TRUSTED_HOPS: '2', PORTCULLIS_CONFIG: 'not read' });
  expect(resolved.ok && resolved.config).toMatchObject({
    policies: 'from-file',
    maxHeaders: 12,
    trustedHops: 2,
    allowPrivateAddresses: true,
  });
});

test('the config file can be named by a variable', async () => {
  const path = join(folder, 'named.yaml');
  await writeFile(path, 'policies: p\n');
  expect((await loadConfig(new Map(), { PORTCULLIS_CONFIG: path })).ok).toBe(true);
});

test('a config file that is absent is one error with who named it', async () => {
  const path = join(folder, 'absent.yaml');
  const resolved = await loadConfig(new Map([['--config', [path]]]), { PORTCULLIS_POLICIES: 'p' });
  expect(problemsOf(resolved).map(({ message }) => message)).toEqual([
    `The config file ${path} cannot be read (ENOENT).`,
  ]);
  expect(outline(problemsOf(resolved))).toEqual(['--config: error: unreadable-file']);
});

test('a folder is no config file', async () => {
  const resolved = await loadConfig(new Map(), { PORTCULLIS_POLICIES: 'p', PORTCULLIS_CONFIG: folder });
  expect(outline(problemsOf(resolved))).toEqual(['PORTCULLIS_CONFIG: error: unreadable-file']);
});

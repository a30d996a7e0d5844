import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPolicy } from './support/tls-folder.ts';

let policies: string;
beforeAll(async () => {
  policies = await mkdtemp(join(tmpdir(), 'portcullis-policies-'));
  await writeFile(join(policies, 'open.yaml'), openPolicy);
});
afterAll(() => rm(policies, { recursive: true }));

/** Tells at its end what the process has loaded: files by their URLs, and what Node is made of. */
const tell = `
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
  process.on('exit', () => process.stderr.write('LOADED ' + [...loaded, ...process.moduleLoadList].join('|') + '\\n'));
`;

/** What is loaded from the start until the policies of the folder are in force. */
async function loadedToServe(transport: string): Promise<readonly string[]> {
  const addresses = ['grpc', 'http', 'admin'].flatMap((kind) => [`--${kind}-address`, '127.0.0.1:0']);
  const flags = ['--policies', policies, '--transport', transport, '--shutdown-delay', '0s', ...addresses];
  const probe = `data:text/javascript,${encodeURIComponent(tell)}`;
  const child = spawn(process.execPath, ['--import', probe, 'src/main.ts', 'serve', ...flags]);
  let output = '';
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    // A second signal would end it at once.
    if (!child.killed && output.includes('"msg":"ready"')) child.kill('SIGTERM');
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  await new Promise((resolve) => child.once('close', resolve));
  return (/^LOADED (.*)$/m.exec(output)?.[1] ?? '').split('|');
}

/** Of what is large, what somebody needs who does something else than to serve a folder. */
const dispensable = ['@grpc/', 'protobufjs', 'client-node', 'redis', 'undici', 'bcryptjs', 'http2'];
const packageOrBuiltin = /\/node_modules\/|^NativeModule /;

function foundIn(loaded: readonly string[]): readonly string[] {
  const heavy = loaded.filter((name) => packageOrBuiltin.test(name));
  return dispensable.filter((part) => heavy.some((name) => name.includes(part)));
}

it('does not load to serve a folder on our own transport what only others need', async () => {
  const loaded = await loadedToServe('native');
  expect(loaded.filter((name) => name.includes('/node_modules/yaml/'))).not.toEqual([]);
  expect(foundIn(loaded)).toEqual([]);
});

it('loads the library where it is the transport', async () => {
  expect(foundIn(await loadedToServe('grpc-js'))).toEqual(['@grpc/', 'http2']);
});

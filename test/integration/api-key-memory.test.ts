import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { checkOf, createCheckClient, encodeCheck } from '../support/check-over-grpc.ts';
import { eventually } from '../support/eventually.ts';
import { getText, startServe, type ServeProcess } from './support/serve-process.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** What V8 has on its heap once all is gone that nobody holds. */
async function heapOf(service: ServeProcess, folder: string): Promise<string> {
  service.signal('SIGUSR2');
  const file = await eventually(async () => {
    const name = (await readdir(folder)).find((one) => one.endsWith('.heapsnapshot'));
    if (name === undefined) throw new Error('no snapshot yet');
    const text = await readFile(join(folder, name), 'utf8');
    if (!text.trimEnd().endsWith('}')) throw new Error('the snapshot is not whole');
    return text;
  }, 30_000);
  return file;
}

describe('the memory of serve', () => {
  test('holds no API key once its Secret was read, beside other documents of its file or alone', async () => {
    const [policies, snapshots] = [
      await mkdtemp(join(tmpdir(), 'portcullis-keys-')),
      await mkdtemp(join(tmpdir(), 'portcullis-heap-')),
    ];
    for (const folder of [policies, snapshots]) closers.push(() => rm(folder, { recursive: true, force: true }));
    const [key, other] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')];
    const secret = (name: string, field: string, annotations: string): string =>
      `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: shop, labels: {client: "1"}, annotations: ${annotations}}, ${field}}`;
    // kubectl writes a copy of what was applied.
    const applied = `{kubectl.kubernetes.io/last-applied-configuration: "{api-key: ${key}}"}`;
    await writeFile(
      join(policies, 'all.yaml'),
      [
        '{apiVersion: portcullis.dev/v1alpha1, kind: IdentityProvider, metadata: {name: keys, namespace: shop}, spec: {type: APIKey, apiKey: {from: [{header: x-api-key}], secretSelector: {matchLabels: {client: "1"}}}}}',
        '{apiVersion: portcullis.dev/v1alpha1, kind: AccessPolicy, metadata: {name: a, namespace: shop}, spec: {hosts: [a.example], authentication: {providers: [{name: keys}]}, rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]}}',
        secret('acme', `stringData: {api-key: ${key}, note: ${other}}`, applied),
      ].join('\n---\n'),
    );
    await writeFile(
      join(policies, 'b.yaml'),
      secret('encoded', `data: {api-key: ${Buffer.from(`b${key}`).toString('base64')}}`, '{}'),
    );
    const before = process.env['NODE_OPTIONS'];
    process.env['NODE_OPTIONS'] = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${snapshots}`;
    const service = await startServe(policies).finally(() => {
      if (before === undefined) delete process.env['NODE_OPTIONS'];
      else process.env['NODE_OPTIONS'] = before;
    });
    closers.push(() => service.close());
    await eventually(async () => expect((await getText(service.httpPort, '/readyz')).status).toBe(200));
    const heap = await heapOf(service, snapshots);
    // What else is in a Secret is there, so that it would be found.
    expect([
      heap.includes(other),
      heap.includes(key),
      heap.includes(Buffer.from(`b${key}`).toString('base64')),
    ]).toEqual([true, false, false]);
    const client = createCheckClient(service.grpcAddress);
    closers.push(() => client.close());
    const headers = [['x-api-key', key]] as const;
    const request = { method: 'GET', host: 'a.example', path: '/', headers, clientIp: undefined };
    expect((await client.send(encodeCheck(checkOf(request, undefined, 'apart')))).status?.code).toBe(0);
  }, 60_000);
});

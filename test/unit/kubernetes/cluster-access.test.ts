import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openClusterConnection } from '../../../src/kubernetes/cluster-connection.ts';
import { openPlainKubeconfig } from '../../../src/kubernetes/plain-kubeconfig.ts';
import { openPodAccess } from '../../../src/kubernetes/pod-access.ts';

let folder: string;
let now = 0;
const clock = { now: () => now, monotonic: () => now };
const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);

beforeEach(async () => {
  now = 0;
  folder = await mkdtemp(join(tmpdir(), 'portcullis-access-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a pod's service account", () => {
  const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
  const mount = async (): Promise<void> => {
    await write('token', 'first\n');
    await write('ca.crt', 'the root');
    await write('namespace', 'portcullis');
  };

  it('is who we are, always over TLS that its root vouches for', async () => {
    await mount();
    const access = await openPodAccess(clock, { environment, accountFolder: folder });
    expect([access.server, access.namespace, access.proxyUrl]).toEqual([
      'https://10.0.0.1:443',
      'portcullis',
      undefined,
    ]);
    expect(await access.read()).toEqual({ headers: { authorization: 'Bearer first' }, tls: { ca: 'the root' } });
  });

  it('has brackets around an address of IPv6', async () => {
    await mount();
    const around = { environment: { ...environment, KUBERNETES_SERVICE_HOST: 'fd00::1' }, accountFolder: folder };
    expect((await openPodAccess(clock, around)).server).toBe('https://[fd00::1]:443');
  });

  it('is read again after a minute, and a token that cannot be read then stays', async () => {
    await mount();
    const access = await openPodAccess(clock, { environment, accountFolder: folder });
    await write('token', 'second');
    now = 59_000;
    expect((await access.read()).headers).toEqual({ authorization: 'Bearer first' });
    now = 60_000;
    expect((await access.read()).headers).toEqual({ authorization: 'Bearer second' });
    await rm(join(folder, 'token'));
    now = 120_000;
    expect((await access.read()).headers).toEqual({ authorization: 'Bearer second' });
  });

  it('is read again at once where its token was refused, and not with every refusal', async () => {
    await mount();
    const access = await openPodAccess(clock, { environment, accountFolder: folder });
    await write('token', 'second');
    now = 900;
    access.renew?.();
    expect((await access.read()).headers).toEqual({ authorization: 'Bearer first' });
    now = 1000;
    expect((await access.read()).headers).toEqual({ authorization: 'Bearer second' });
    await write('token', 'third');
    now = 2500;
    expect((await access.read()).headers).toEqual({ authorization: 'Bearer second' });
  });

  it('is not there outside of a pod, nor where its token is not mounted', async () => {
    await mount();
    await expect(openPodAccess(clock, { environment: {}, accountFolder: folder })).rejects.toThrow('this is no pod');
    await rm(join(folder, 'token'));
    await expect(openPodAccess(clock, { environment, accountFolder: folder })).rejects.toThrow('ENOENT');
  });
});

describe('a kubeconfig', () => {
  const root = Buffer.from('the root').toString('base64');
  const plain = (cluster: object = {}, user: object = { token: 'secret' }, context: object = {}): string =>
    JSON.stringify({
      'current-context': 'c',
      contexts: [
        { name: 'other', context: { cluster: 'none', user: 'none' } },
        { name: 'c', context: { cluster: 'a', user: 'b', namespace: 'shop', ...context } },
      ],
      clusters: [
        { name: 'a', cluster: { server: 'https://api.example:6443/', 'certificate-authority-data': root, ...cluster } },
      ],
      users: [{ name: 'b', user }],
    });
  const open = async (text: string): ReturnType<typeof openPlainKubeconfig> => {
    await write('config', text);
    return openPlainKubeconfig(join(folder, 'config'), clock);
  };

  it('that says a server, its root and a token is read without the package of the client', async () => {
    const access = await open(plain());
    expect([access?.server, access?.namespace]).toEqual(['https://api.example:6443/', 'shop']);
    expect(await access?.read()).toEqual({ headers: { authorization: 'Bearer secret' }, tls: { ca: 'the root' } });
  });

  it('may name files, beside it', async () => {
    await write('ca.crt', 'another root');
    await write('token', 'from a file\n');
    const cluster = { 'certificate-authority-data': undefined, 'certificate-authority': 'ca.crt' };
    const access = await open(plain(cluster, { tokenFile: join(folder, 'token') }));
    expect(await access?.read()).toEqual({
      headers: { authorization: 'Bearer from a file' },
      tls: { ca: 'another root' },
    });
  });

  it.each([
    ['no certificate checked', plain({ 'insecure-skip-tls-verify': true })],
    ['another name in the certificate', plain({ 'tls-server-name': 'x' })],
    ['a proxy', plain({ 'proxy-url': 'http://proxy.example' })],
    ["the system's roots", plain({ 'certificate-authority-data': undefined })],
    ['a root twice', plain({ 'certificate-authority': 'ca.crt' })],
    ['a program for credentials', plain({}, { exec: { command: 'x' } })],
    ['a token beside somebody to act for', plain({}, { token: 'secret', as: 'admin' })],
    ['a token twice', plain({}, { token: 'secret', tokenFile: 'token' })],
    ['a certificate', plain({}, { 'client-certificate-data': 'x', 'client-key-data': 'y' })],
    ['a user that is not there', plain({}, { token: 'secret' }, { user: 'nobody' })],
    ['no YAML', '{'],
    ['a list', '[]'],
  ])('that says %s is for the package of the client to judge', async (_what, text) => {
    expect(await open(text)).toBeUndefined();
  });

  it('with more in it gives the same by the package, and one that is no kubeconfig is said so with its name', async () => {
    await write('config', plain({ 'tls-server-name': 'kubernetes' }));
    const connection = await openClusterConnection(join(folder, 'config'), clock);
    expect([connection.server, connection.namespace]).toEqual(['https://api.example:6443', 'shop']);
    expect((await connection.prepare()).headers).toEqual({ authorization: 'Bearer secret' });
    await connection.close();
    await write('config', '{');
    await expect(openClusterConnection(join(folder, 'config'), clock)).rejects.toThrow(
      `the kubeconfig ${join(folder, 'config')} cannot be read`,
    );
    await write('config', plain({ server: 'nowhere' }));
    await expect(openClusterConnection(join(folder, 'config'), clock)).rejects.toThrow(
      'names no cluster with a server',
    );
  });
});

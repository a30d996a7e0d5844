import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../../src/dev/is-alive.ts';
import { createAuthority } from '../certificates.ts';

/** `admin` may do everything (system:masters), `nobody` what every authenticated user may. */
export type ClusterUser = 'admin' | 'nobody';

/** What a cluster needs before it starts, in a folder of its own. */
export interface ClusterFiles {
  readonly folder: string;
  /** The root that the API server's certificate is of, PEM. */
  readonly ca: string;
  readonly tokens: Readonly<Record<ClusterUser, string>>;
}

const folderHead = 'portcullis-cluster-';

export async function writeClusterFiles(): Promise<ClusterFiles> {
  await removeLeftOver();
  const folder = await mkdtemp(join(tmpdir(), `${folderHead}${process.pid}-`));
  const authority = createAuthority('test cluster');
  const server = authority.issue({ name: 'kube-apiserver', use: 'server' });
  const accounts = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const tokens = { admin: randomUUID(), nobody: randomUUID() };
  const lines = [`${tokens.admin},admin,admin,"system:masters"`, `${tokens.nobody},nobody,nobody`];
  await writeFile(join(folder, 'ca.crt'), authority.certificate);
  await writeFile(join(folder, 'tls.crt'), server.certificate);
  await writeFile(join(folder, 'tls.key'), server.key);
  await writeFile(join(folder, 'accounts.key'), accounts.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(join(folder, 'accounts.pub'), accounts.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(join(folder, 'tokens.csv'), `${lines.join('\n')}\n`);
  await mkdir(join(folder, 'home'));
  return { folder, ca: authority.certificate, tokens };
}

/** Folders of processes that were killed before they could remove them, or that left them because a start failed. */
async function removeLeftOver(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(folderHead) || isAlive(Number.parseInt(name.slice(folderHead.length), 10))) continue;
    // It may be somebody else's, who removes it.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** A kubeconfig with one context, as JSON, which is YAML too. */
export async function writeKubeconfig(
  path: string,
  { url, ca, token }: { readonly url: string; readonly ca: string; readonly token: string },
): Promise<void> {
  const name = 'test';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
}

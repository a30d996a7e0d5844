import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { messageOf } from '../../../src/core/failure.ts';
import { openClusterConnection } from '../../../src/kubernetes/cluster-connection.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function fileOf(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  folders.push(folder);
  const path = join(folder, 'config');
  await writeFile(path, text);
  return path;
}

function kubeconfig(user: string): string {
  return `apiVersion: v1
kind: Config
current-context: a
clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: a, context: {cluster: a, user: a, namespace: shop}}]
users:
- name: a
  user:
${user}
`;
}

async function failureOf(work: Promise<unknown>): Promise<{ readonly text: string; readonly thrown: unknown }> {
  try {
    await work;
  } catch (thrown) {
    return { text: messageOf(thrown), thrown };
  }
  return expect.unreachable('it did not fail');
}

describe('the connection to a cluster', () => {
  it('takes the server, the namespace and the token of a kubeconfig', async () => {
    const connection = await openClusterConnection(await fileOf(kubeconfig('    token: canary-token')));
    expect([connection.server, connection.namespace]).toEqual(['https://127.0.0.1:1', 'shop']);
    expect((await connection.prepare()).headers).toEqual({ authorization: 'Bearer canary-token' });
    await connection.close();
  });

  it('promise 7: says of a kubeconfig that is not well-formed where that is, and nothing of what stands there', async () => {
    const path = await fileOf(kubeconfig('    token: canary-token\n     username: x'));
    const { text, thrown } = await failureOf(openClusterConnection(path));
    expect(text).toMatch(/^the kubeconfig \S+ cannot be read: .+ \(10:14\)$/u);
    expect(text).not.toContain('canary');
    expect(thrown).toMatchObject({ code: 'api_config', cause: undefined });
  });

  it('promise 7: says of a credential plugin whose answer is no JSON that it is none, and not what it is', async () => {
    const exec = `    exec: {apiVersion: client.authentication.k8s.io/v1, command: echo, args: [canary-token]}`;
    const connection = await openClusterConnection(await fileOf(kubeconfig(exec)));
    const { text } = await failureOf(connection.prepare());
    expect(text).toBe('no credentials for the API server: the credential plugin does not answer JSON');
    await connection.close();
  });
});

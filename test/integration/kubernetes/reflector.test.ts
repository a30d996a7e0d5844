import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createApiClient } from '../../../src/kubernetes/api-client.ts';
import { openClusterConnection } from '../../../src/kubernetes/cluster-connection.ts';
import { materialCollection, type Collection } from '../../../src/kubernetes/collection.ts';
import { createReflector, type Reflector, type ReflectorTiming } from '../../../src/kubernetes/reflector.ts';
import { systemClock, systemRandom, systemTimers } from '../../../src/runtime/system-ports.ts';
import { eventually } from '../../support/eventually.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { openFaultyPath, type FaultyPath } from '../../support/kubernetes/faulty-path.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';

const configMaps: Collection = {
  ...materialCollection({ kind: 'ConfigMap', namespace: 'default', name: 'x' }),
  name: 'configmaps of the namespace default',
  query: { labelSelector: 'test=reflector' },
};

describeWithCluster('a reflector before a real API server', () => {
  let cluster: Cluster;
  let path: FaultyPath;
  const closers: (() => void | Promise<void>)[] = [];

  beforeAll(async () => {
    cluster = await startCluster();
    path = await openFaultyPath(cluster.port);
  });
  afterEach(async () => {
    path.heal();
    for (const close of closers.splice(0)) await close();
    await cluster.kubectl('delete', 'configmaps', '--selector', 'test=reflector', '--wait=false');
  });
  afterAll(async () => {
    await path?.close();
    await cluster?.stop();
  });

  interface Followed {
    readonly reflector: Reflector;
    readonly names: Set<string>;
    readonly lines: string[];
  }

  const follow = async (
    kubeconfig: string,
    timing: Partial<ReflectorTiming> = {},
    collection = configMaps,
  ): Promise<Followed> => {
    const connection = await openClusterConnection(kubeconfig, systemClock);
    const api = createApiClient({ connection, timers: systemTimers, userAgent: 'portcullis/test', timeoutMs: 2000 });
    const names = new Set<string>();
    const lines: string[] = [];
    const log = (fields: Readonly<Record<string, unknown>>, message: string): void =>
      void lines.push(`${message}: ${String(fields['error'])}`);
    const reflector = createReflector({
      collection,
      convert: (_object, { name }) => name,
      onChange: ({ removed, changed }) => {
        for (const name of removed) names.delete(name);
        for (const name of changed) names.add(name);
      },
      ports: {
        api,
        clock: systemClock,
        timers: systemTimers,
        random: systemRandom,
        logger: { debug: log, info: log, warn: log, error: log },
      },
      timing,
    });
    closers.push(
      () => reflector.close(),
      () => api.close(),
    );
    return { reflector, names, lines };
  };

  /** A kubeconfig whose way leads over the faulty path. */
  const viaPath = async (user = cluster.kubeconfigPath('admin')): Promise<string> => {
    const file = join(cluster.folder, 'via-path.kubeconfig');
    const text = await readFile(user, 'utf8');
    await writeFile(file, text.replaceAll(`127.0.0.1:${cluster.port}`, `127.0.0.1:${path.port}`));
    return file;
  };
  const create = async (name: string): Promise<void> => {
    await cluster.apply(
      `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}, namespace: default, labels: {test: reflector}}}`,
    );
  };
  const remove = (name: string): Promise<string> => cluster.kubectl('delete', 'configmap', name, '--wait=false');

  it('lists what is there and follows what comes, changes and goes', async () => {
    await create('first');
    const { reflector, names } = await follow(cluster.kubeconfigPath('admin'));
    await reflector.synced;
    expect([...names]).toEqual(['first']);
    await create('second');
    await eventually(() => expect([...names].sort()).toEqual(['first', 'second']));
    await remove('first');
    await eventually(() => expect([...names]).toEqual(['second']));
    expect(reflector.state().failure).toBeUndefined();
  });

  it('goes on after every connection was reset, and sees what was deleted and made meanwhile', async () => {
    await create('deleted-meanwhile');
    const { reflector, names } = await follow(await viaPath());
    await reflector.synced;
    path.cut();
    await eventually(() => expect(reflector.state().failure).toBeDefined());
    await remove('deleted-meanwhile');
    await create('made-meanwhile');
    path.heal();
    await eventually(() => expect([...names]).toEqual(['made-meanwhile']));
    await eventually(() => expect(reflector.state().failure).toBeUndefined());
  });

  it('notices a watch that is open and silent, and replaces it', async () => {
    const { reflector, names, lines } = await follow(await viaPath(), { silenceMs: 800 });
    await reflector.synced;
    path.swallow();
    await create('unheard');
    await eventually(() => expect(lines.join('\n')).toContain('was silent for 800 ms'));
    path.heal();
    await eventually(() => expect([...names]).toEqual(['unheard']), 30_000);
  });

  it('goes on after the API server was killed and came back, with what was deleted in between', async () => {
    await create('deleted-at-once');
    await create('stays');
    const { reflector, names, lines } = await follow(cluster.kubeconfigPath('admin'));
    await reflector.synced;
    await cluster.killApiServer();
    await eventually(() => expect(reflector.state().failure).toBeDefined());
    expect([...names].sort()).toEqual(['deleted-at-once', 'stays']);
    path.cut();
    await cluster.restartApiServer();
    await remove('deleted-at-once');
    await create('new');
    await eventually(() => expect([...names].sort()).toEqual(['new', 'stays']), 30_000);
    expect(lines.filter((line) => line.startsWith('the API server is followed again'))).not.toEqual([]);
  });

  it('lists again where its version is too old for the server (410)', async () => {
    await create('a');
    const { reflector, names } = await follow(cluster.kubeconfigPath('admin'));
    await reflector.synced;
    const connection = await openClusterConnection(cluster.kubeconfigPath('admin'), systemClock);
    const api = createApiClient({ connection, timers: systemTimers, userAgent: 'portcullis/test' });
    closers.push(() => api.close());
    // What the server says to a version of long ago, so that the in-process tests of 410 are known to test the real thing.
    const asked = {
      path: configMaps.path,
      query: { watch: 'true', resourceVersion: '1', timeoutSeconds: '5' },
      signal: new AbortController().signal,
    };
    const said: unknown[] = [];
    try {
      for await (const batch of await api.watch(asked))
        said.push(...batch.map(({ type, object }) => `${type} ${JSON.stringify(object['code'])}`));
    } catch (thrown) {
      said.push(thrown instanceof Error && 'code' in thrown ? thrown.code : thrown);
    }
    expect(['ERROR 410', 'api_gone']).toContain(said[0]);
    expect([...names]).toEqual(['a']);
  });

  it('says which verb is missing, keeps trying, and follows once it may', async () => {
    await cluster.kubectl('create', 'serviceaccount', 'reader', '--namespace', 'default');
    await cluster.kubectl(
      'create',
      'role',
      'reader',
      '--namespace',
      'default',
      '--verb=get,list',
      '--resource=configmaps',
    );
    await cluster.kubectl(
      'create',
      'rolebinding',
      'reader',
      '--namespace',
      'default',
      '--role=reader',
      '--serviceaccount=default:reader',
    );
    const token = await cluster.serviceAccountToken({ namespace: 'default', name: 'reader' });
    const { reflector } = await follow(await cluster.writeKubeconfig('reader', token));
    await eventually(() =>
      expect(reflector.state().failure).toMatch(
        /^the service account needs get, list and watch on configmaps by a Role in the namespace default; the chart grants it with rbac\.configMaps\.enabled .*cannot watch/u,
      ),
    );
    await cluster.kubectl('delete', 'role', 'reader', '--namespace', 'default');
    await cluster.kubectl(
      'create',
      'role',
      'reader',
      '--namespace',
      'default',
      '--verb=get,list,watch',
      '--resource=configmaps',
    );
    await eventually(() => expect(reflector.state().failure).toBeUndefined(), 30_000);
  });

  it('is refused with a token of nobody, and says so without the token', async () => {
    const { reflector, lines } = await follow(await cluster.writeKubeconfig('canary', 'canary-token-of-nobody'));
    await eventually(() => expect(reflector.state().failure).toContain('401'));
    expect(lines.join('\n')).not.toContain('canary-token');
  });
});

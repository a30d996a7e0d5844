import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startIssuer, type Issuer } from '../../../src/dev/issuer.ts';
import { createCheckClient, type CheckClient } from '../../support/check-over-grpc.ts';
import { eventually } from '../../support/eventually.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { installCrds } from '../../support/kubernetes/crds.ts';
import { createServiceAccount } from '../../support/kubernetes/service-account.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { getText, type ServeProcess } from '../support/serve-process.ts';
import { ask, isAlive, pidsOf, policy, replaceWorker, statusOf, withProvider } from '../support/workers-stand.ts';
import { createServeStand } from './support/serve-stand.ts';

describeWithCluster('two workers before a real API server', () => {
  let cluster: Cluster;
  let issuer: Issuer;
  let kubeconfig: string;
  const clients: CheckClient[] = [];
  const stand = createServeStand(
    () => cluster,
    () => kubeconfig,
  );

  beforeAll(async () => {
    cluster = await startCluster();
    issuer = await startIssuer(0, 'orders');
    kubeconfig = await createServiceAccount(cluster);
    await installCrds(cluster);
    await cluster.kubectl('create', 'namespace', 'shop');
  }, 120_000);
  afterEach(async () => {
    for (const one of clients.splice(0)) one.close();
    await stand.end();
    await cluster.run('kubectl', ['delete', 'accesspolicies,identityproviders', '--all', '--namespace', 'shop']);
  });
  afterAll(async () => {
    await issuer?.close();
    await cluster?.stop();
  });

  const serve = (...flags: readonly string[]): Promise<ServeProcess> =>
    stand.serve('portcullis-0', ['--allowed-private-address', '127.0.0.0/8', '--workers', '2', ...flags]);
  /** The next one is another worker's. */
  const client = (service: ServeProcess): CheckClient => {
    const made = createCheckClient(service.grpcAddress);
    clients.push(made);
    return made;
  };
  const inTurn = async (asked: readonly CheckClient[], token?: string): Promise<readonly string[]> => {
    const outcomes: string[] = [];
    for (const each of asked) outcomes.push(await ask(each, token));
    return outcomes;
  };
  /** The generation that is said to be in force. */
  const programmed = async (): Promise<string> => {
    const path =
      '{.metadata.generation} {.status.conditions[?(@.type=="Programmed")].status} {.status.conditions[?(@.type=="Programmed")].observedGeneration}';
    return cluster.kubectl('get', 'accesspolicy', 'a', '--namespace', 'shop', '--output', `jsonpath=${path}`);
  };

  it('a change is said to be in force when both decide by it', async () => {
    await cluster.apply(policy('Public'));
    const service = await serve();
    const both = [client(service), client(service)];
    await eventually(async () => expect(await programmed()).toBe('1 True 1'), 30_000);
    expect(await inTurn(both)).toEqual(['allow', 'allow']);
    for (let generation = 2; generation <= 6; generation++) {
      const isDenied = generation % 2 === 0;
      await cluster.apply(policy(isDenied ? 'Denied' : 'Public'));
      await eventually(async () => expect(await programmed()).toBe(`${generation} True ${generation}`), 30_000);
      const expected = isDenied ? '403 denied' : 'allow';
      expect(await inTurn(both)).toEqual([expected, expected]);
    }
  }, 90_000);

  it('a change is not said to be in force while a worker stands still, which is ended for it, and the next one has it', async () => {
    await cluster.apply(policy('Public'));
    const service = await serve();
    const both = [client(service), client(service)];
    await eventually(async () => expect(await programmed()).toBe('1 True 1'), 30_000);
    expect(await inTurn(both)).toEqual(['allow', 'allow']);
    const [, stopped = 0] = pidsOf(service);
    process.kill(stopped, 'SIGSTOP');
    await cluster.apply(policy('Denied'));
    await sleep(4000);
    // The other one has it.
    expect(await inTurn(both.slice(0, 1))).toEqual(['403 denied']);
    expect(await programmed()).not.toBe('2 True 2');
    await eventually(async () => expect(await programmed()).toBe('2 True 2'), 30_000);
    expect(isAlive(stopped)).toBe(false);
    await eventually(async () => expect((await statusOf(service)).workers.serving).toBe(2));
    expect(await inTurn([client(service), client(service)])).toEqual(['403 denied', '403 denied']);
  }, 90_000);

  describe('revocations out of a ConfigMap', () => {
    const put = (lines: readonly object[]): Promise<unknown> =>
      cluster.apply(
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'revocations', namespace: 'portcullis' },
          data: { list: lines.map((line) => JSON.stringify(line)).join('\n') },
        }),
      );
    const flags = ['--revocations-config-map', 'portcullis/revocations'];
    const [allowed, revoked, unavailable] = ['allow', '401 token_revoked', '503 revocations_unavailable'].map(
      (outcome) => [outcome, outcome],
    );
    const tokens = async (): Promise<readonly [string, string]> => [
      await issuer.sign({ sub: 'alice' }),
      await issuer.sign({ sub: 'bob' }),
    ];

    it('are refused by both within a second of the change, and by one that comes later; what is taken out counts again', async () => {
      await cluster.apply(withProvider(issuer.issuer));
      await put([]);
      const service = await serve(...flags);
      const both = [client(service), client(service)];
      const [alice, bob] = await tokens();
      await eventually(async () => expect(await inTurn(both, alice)).toEqual(allowed), 30_000);
      expect(await inTurn(both, bob)).toEqual(allowed);
      await put([{ issuer: issuer.issuer, sub: 'alice' }]);
      await eventually(async () => expect(await inTurn(both, alice)).toEqual(revoked), 1000);
      expect(await inTurn(both, bob)).toEqual(allowed);
      await replaceWorker(service);
      const fresh = [client(service), client(service)];
      expect([await inTurn(fresh, alice), await inTurn(fresh, bob)]).toEqual([revoked, allowed]);
      await put([]);
      await eventually(async () => expect(await inTurn(fresh, alice)).toEqual(allowed), 1000);
    }, 90_000);

    it('deny with 503 at both while the map does not exist, and once the API server is away for longer than the grace', async () => {
      await cluster.apply(withProvider(issuer.issuer));
      await cluster.kubectl('delete', 'configmap', 'revocations', '--namespace', 'portcullis', '--ignore-not-found');
      const service = await serve(...flags, '--revocations-grace', '4s');
      const both = [client(service), client(service)];
      const [alice, bob] = await tokens();
      await eventually(async () => expect(await inTurn(both, bob)).toEqual(unavailable), 30_000);
      await put([{ issuer: issuer.issuer, sub: 'alice' }]);
      await eventually(async () => expect(await inTurn(both, bob)).toEqual(allowed), 5000);
      expect(await inTurn(both, alice)).toEqual(revoked);
      await cluster.killApiServer();
      expect([await inTurn(both, alice), await inTurn(both, bob)]).toEqual([revoked, allowed]);
      await eventually(async () => expect(await inTurn(both, bob)).toEqual(unavailable), 20_000);
      expect(await inTurn(both, alice)).toEqual(revoked);
      // One that begins now has read nothing itself, and knows no more than what it is told.
      await replaceWorker(service);
      const fresh = [client(service), client(service)];
      expect([await inTurn(fresh, alice), await inTurn(fresh, bob)]).toEqual([revoked, unavailable]);
      expect((await getText(service.httpPort, '/readyz')).status).toBe(200);
      await cluster.restartApiServer();
      await eventually(async () => expect(await inTurn(fresh, bob)).toEqual(allowed), 30_000);
      expect(await inTurn(fresh, alice)).toEqual(revoked);
    }, 120_000);
  });
});

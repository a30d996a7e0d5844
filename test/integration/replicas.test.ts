import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEchoUpstream } from '../../src/dev/echo-upstream.ts';
import type { RunningEnvoy } from '../../src/dev/envoy-process.ts';
import { exchange } from '../../src/dev/http-exchange.ts';
import { startIssuer, type Issuer } from '../../src/dev/issuer.ts';
import type { LoopbackServer } from '../../src/dev/loopback-server.ts';
import { outcomeOfAnswer } from '../../src/dev/outcome.ts';
import {
  caep,
  createEventTransmitter,
  postText,
  type EventTransmitter,
  type PushResult,
} from '../support/event-transmitter.ts';
import { eventually } from '../support/eventually.ts';
import { createDpopClient } from './support/dpop-client.ts';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.ts';
import { getText, runCli, startServe, type ServeProcess } from './support/serve-process.ts';
import { startEnvoyBefore } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const eventsAudience = 'https://portcullis.example/events';

const documents = (issuer: string, jwks: string): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec:
  type: JWT
  jwt:
    issuer: "${issuer}"
    audiences: [orders]
    logout: {audiences: [web]}
    events: {issuer: "https://signals.example", audiences: ["${eventsAudience}"], jwks: {inline: '${jwks}'}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [shop.example]
  authentication: {providers: [{name: idp}]}
  rules:
  - {name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}
  - name: pay
    matches: [{path: {type: PathPrefix, value: /pay}}]
    access: Restricted
    authorization: {when: [{expression: "identity.signals[?'riskLevel'].orValue('LOW') != 'HIGH'"}]}
`;

/** One replica, with the Envoy that asks it and nobody else. */
interface Replica {
  readonly service: ServeProcess;
  readonly envoy: RunningEnvoy;
}

describeWithEnvoy('two replicas that share a real Redis, a real Envoy before each', (envoyBinary) => {
  describeWithRedis('and a third that goes on without it', (redisBinary) => {
    let folder: string;
    let redis: TestRedis;
    let issuer: Issuer;
    let upstream: LoopbackServer;
    let transmitter: EventTransmitter;
    const replicas: Replica[] = [];

    const startReplica = async (...flags: readonly string[]): Promise<void> => {
      const service = await startServe(join(folder, 'policies'), [
        '--allowed-private-address=127.0.0.0/8',
        `--admin-token-file=${join(folder, 'admin.token')}`,
        `--redis-url=redis://127.0.0.1:${redis.port}`,
        ...flags,
      ]);
      replicas.push({ service, envoy: await startEnvoyBefore(service.grpcAddress, upstream.port, { envoyBinary }) });
    };

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'portcullis-replicas-'));
      writeFileSync(join(folder, 'admin.token'), 'an-admin-token-of-the-test\n');
      redis = await startRedis(redisBinary);
      issuer = await startIssuer(0, 'orders');
      upstream = await startEchoUpstream();
      transmitter = await createEventTransmitter('https://signals.example', eventsAudience);
      mkdirSync(join(folder, 'policies'));
      writeFileSync(join(folder, 'policies', 'policy.yaml'), documents(issuer.issuer, transmitter.jwks));
      await startReplica('--revocations-grace=0s');
      await startReplica('--revocations-grace=0s');
      await startReplica('--revocations-grace=0s', '--revocations-unavailable=Ignore');
      const token = await issuer.sign({ sub: 'first' });
      await eventually(async () => expect(await everywhere(token)).toEqual(['200', '200', '200']));
    }, 60_000);
    afterAll(async () => {
      for (const { service, envoy } of replicas) {
        await envoy.close();
        await service.close();
      }
      await upstream?.close();
      await issuer?.close();
      await redis?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const replica = (number: number): Replica => {
      const found = replicas[number];
      if (found === undefined) throw new Error(`there is no replica ${number}`);
      return found;
    };
    const send = async (to: number, headers: Readonly<Record<string, string>>, path = '/'): Promise<string> => {
      const message = { method: 'GET', path, headers: { host: 'shop.example', ...headers } };
      const { status, body } = await exchange(replica(to).envoy.port, message);
      const outcome = outcomeOfAnswer(status, body);
      return outcome.decision === 'allow' ? '200' : `${status} ${outcome.code}`;
    };
    const ask = (to: number, token: string, path?: string): Promise<string> =>
      send(to, { authorization: `Bearer ${token}` }, path);
    const everywhere = (token: string, path?: string): Promise<readonly string[]> =>
      Promise.all(replicas.map((_, number) => ask(number, token, path)));
    /** Of somebody whom every replica has let in and remembers. */
    const tokenOf = async (sub: string): Promise<string> => {
      const token = await issuer.sign({ sub, sid: `session-of-${sub}` });
      for (let time = 0; time < 2; time++) expect(await everywhere(token)).toEqual(['200', '200', '200']);
      return token;
    };
    const revoked = ['401 token_revoked', '401 token_revoked', '401 token_revoked'];
    const refusedWithinASecond = (token: string): Promise<void> =>
      eventually(async () => expect(await everywhere(token)).toEqual(revoked), 1000);
    const revoke = (to: number, sub: string): ReturnType<typeof runCli> => {
      const address = `127.0.0.1:${replica(to).service.adminPort}`;
      const who = ['--issuer', issuer.issuer, '--sub', sub];
      return runCli(['revoke', '--token-file', join(folder, 'admin.token'), ...who, '--address', address]);
    };
    const push = async (to: number, type: string, event: object, sub: string, attempts = 1): Promise<PushResult> => {
      const subject = { format: 'iss_sub', iss: issuer.issuer, sub };
      const set = await transmitter.sign(caep(type), event, { subject });
      return transmitter.push(`http://127.0.0.1:${replica(to).service.httpPort}/events/shop/idp`, set, { attempts });
    };

    /** As an issuer does, which comes once and never again. */
    const logOut = async (to: number, sub: string): Promise<number> => {
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
      const claims = { aud: 'web', sub, sid: `session-of-${sub}`, jti: `logout-of-${sub}`, events };
      const token = await issuer.sign(claims, { typ: 'logout+jwt' });
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const url = `http://127.0.0.1:${replica(to).service.httpPort}/backchannel-logout/shop/idp`;
      return (await postText(url, form, `logout_token=${token}`)).status;
    };

    it('what the admin call ends at one is ended at the other within a second, for tokens that it remembers too', async () => {
      const [mallory, bystander] = [await tokenOf('mallory'), await tokenOf('bystander')];
      const { code, output } = await revoke(0, 'mallory');
      expect([code, output]).toEqual([0, expect.stringMatching(/^REVOKED .*\(shared: /)]);
      await refusedWithinASecond(mallory);
      expect(await everywhere(bystander)).toEqual(['200', '200', '200']);
    });

    it('so it is with a logout, and with what a transmitter tells', async () => {
      const [dora, erin, bystander] = [await tokenOf('dora'), await tokenOf('erin'), await tokenOf('bystander')];
      expect(await logOut(1, 'dora')).toBe(200);
      await refusedWithinASecond(dora);
      expect(await push(0, 'session-revoked', {}, 'erin')).toMatchObject({ status: 202 });
      await refusedWithinASecond(erin);
      expect(await everywhere(bystander)).toEqual(['200', '200', '200']);
    });

    it('a risk that one hears of closes what asks for it at the other', async () => {
      const [frank, bystander] = [await tokenOf('frank'), await tokenOf('bystander')];
      expect(await everywhere(frank, '/pay')).toEqual(['200', '200', '200']);
      const event = { principal: 'USER', current_level: 'HIGH', previous_level: 'LOW' };
      expect(await push(1, 'risk-level-change', event, 'frank')).toMatchObject({ status: 202 });
      const closed = ['403 condition_failed', '403 condition_failed', '403 condition_failed'];
      await eventually(async () => expect(await everywhere(frank, '/pay')).toEqual(closed), 1000);
      expect([await everywhere(frank), await everywhere(bystander, '/pay')]).toEqual([
        ['200', '200', '200'],
        ['200', '200', '200'],
      ]);
    });

    it('a proof that one has taken is refused by the other, whichever comes first', async () => {
      const client = await createDpopClient('https://shop.example/');
      const token = await issuer.sign({ sub: 'alice', cnf: { jkt: client.jkt } });
      const show = (to: number, dpop: string): Promise<string> => send(to, { authorization: `DPoP ${token}`, dpop });
      const [one, two, together] = [await client.prove(token), await client.prove(token), await client.prove(token)];
      expect([await show(0, one), await show(1, one)]).toEqual(['200', '401 dpop_replayed']);
      expect([await show(1, two), await show(0, two)]).toEqual(['200', '401 dpop_replayed']);
      const answers = await Promise.all([0, 1, 2, 0, 1, 2].map((to) => show(to, together)));
      expect(answers.toSorted()).toEqual(['200', ...Array.from({ length: 5 }, () => '401 dpop_replayed')]);
    });

    it('without Redis nobody is let in but where the operator said so, and it goes on by itself when Redis is back', async () => {
      const client = await createDpopClient('https://shop.example/');
      const bound = await issuer.sign({ sub: 'alice', cnf: { jkt: client.jkt } });
      const show = async (to: number): Promise<string> =>
        send(to, { authorization: `DPoP ${bound}`, dpop: await client.prove(bound) });
      const [ended, alice, grace, heidi] = [
        await tokenOf('ended'),
        await tokenOf('alice'),
        await tokenOf('grace'),
        await tokenOf('heidi'),
      ];
      expect((await revoke(0, 'ended')).code).toBe(0);
      await refusedWithinASecond(ended);

      await redis.kill();
      const unavailable = '503 revocations_unavailable';
      await eventually(async () => expect(await everywhere(alice)).toEqual([unavailable, unavailable, '200']), 4000);
      // What was read before is still held to, also where the list is ignored; a proof cannot be known to be new anywhere.
      expect([await everywhere(ended), await show(2)]).toEqual([revoked, '503 store_unavailable']);
      expect((await getText(replica(0).service.httpPort, '/readyz')).status).toBe(200);
      expect(await push(0, 'session-revoked', {}, 'grace')).toMatchObject({ status: 503 });
      // Heard and not shared: there it counts at once, and its sender comes again until everybody knows.
      expect(await ask(0, grace)).toBe('401 token_revoked');
      expect([await logOut(2, 'heidi'), await ask(2, heidi)]).toEqual([503, '401 token_revoked']);
      const again = push(0, 'session-revoked', {}, 'grace', 8);
      await sleep(300);

      await redis.restart();
      await eventually(async () => expect(await everywhere(alice)).toEqual(['200', '200', '200']), 10_000);
      const { status, attempts } = await again;
      expect([status, attempts > 1]).toEqual([202, true]);
      await refusedWithinASecond(grace);
      // This sender does not come again: who heard it tells the others.
      await refusedWithinASecond(heidi);
      // Redis has forgotten it, the replicas have not.
      expect(await everywhere(ended)).toEqual(revoked);
      await eventually(async () => expect([await show(0), await show(1)]).toEqual(['200', '200']));
      const { code, output } = await revoke(1, 'alice');
      expect([code, output]).toEqual([0, expect.stringMatching(/^REVOKED .*\(shared: /)]);
      await refusedWithinASecond(alice);
    });
  });
});

import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Issuer } from '../../src/dev/issuer.ts';
import type { CheckClient } from '../support/check-over-grpc.ts';
import { eventually } from '../support/eventually.ts';
import { postText } from '../support/event-transmitter.ts';
import { createDpopClient } from './support/dpop-client.ts';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.ts';
import { getText, type ServeProcess } from './support/serve-process.ts';
import {
  ask,
  metricOf,
  pidsOf,
  ready,
  replaceWorker,
  statusOf,
  useWorkersStand,
  withProvider,
} from './support/workers-stand.ts';

const { pathOf, write, serve, issuer, client, onEnd } = useWorkersStand();
const adminToken = 'an-admin-token-of-the-test';
const dpopRequired = ', binding: {dpop: Required}';

/** The flags of a service that may be told to revoke. */
function withAdmin(): readonly string[] {
  writeFileSync(pathOf('admin.token'), adminToken);
  return ['--transport', 'native', '--admin-token-file', pathOf('admin.token')];
}

async function revoke(service: ServeProcess, idp: Issuer, jti: string): Promise<readonly [number, unknown]> {
  const answer = await fetch(`http://127.0.0.1:${service.adminPort}/revocations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ revocations: [{ issuer: idp.issuer, jti }] }),
  });
  return [answer.status, await answer.json()];
}

/** One after the other, so that those who connect by it do so in their order. */
async function everywhere(clients: readonly CheckClient[], token: string): Promise<readonly string[]> {
  const outcomes: string[] = [];
  for (const each of clients) outcomes.push(await ask(each, token));
  return outcomes;
}

const tokenOf = (idp: Issuer, jti: string): Promise<string> => idp.sign({ sub: 'alice', jti, sid: `session-${jti}` });
const [allowed, revoked] = [
  ['allow', 'allow'],
  ['401 token_revoked', '401 token_revoked'],
];

/** Stands still, and goes on when the test ends at the latest. */
function stop(pid: number): () => void {
  process.kill(pid, 'SIGSTOP');
  const goOn = (): void => {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It was ended meanwhile.
    }
  };
  onEnd(goOn);
  return goOn;
}

describe('a revocation', () => {
  it('by the admin call is in force at each worker once the call is answered, also at one that comes later', async () => {
    const idp = await issuer();
    write('a.yaml', withProvider(idp.issuer));
    const service = await serve(...withAdmin());
    await ready(service);
    const clients = [client(service), client(service)];
    for (let i = 0; i < 10; i++) {
      const [token, kept] = [await tokenOf(idp, `token-${i}`), await tokenOf(idp, `kept-${i}`)];
      expect(await everywhere(clients, token)).toEqual(allowed);
      const began = performance.now();
      expect(await revoke(service, idp, `token-${i}`)).toMatchObject([200, { scope: 'local' }]);
      expect(performance.now() - began).toBeLessThan(1000);
      expect([await everywhere(clients, token), await everywhere(clients, kept)]).toEqual([revoked, allowed]);
    }
    await replaceWorker(service);
    const fresh = [client(service), client(service)];
    expect(await everywhere(fresh, await tokenOf(idp, 'token-3'))).toEqual(revoked);
    expect(await everywhere(fresh, await tokenOf(idp, 'kept-3'))).toEqual(allowed);
    // As one process tells it.
    expect(await metricOf(service, 'portcullis_revocations')).toBe(10);
    expect(await metricOf(service, 'portcullis_revocations_readable')).toBe(0);
    await eventually(() => {
      const denied = service.lines().filter(({ code }) => code === 'token_revoked');
      // Of the worker that was killed the last lines are lost.
      expect(denied.length).toBeGreaterThan(10);
      expect(new Set(denied.map(({ revokedBy }) => revokedBy))).toEqual(new Set(['admin']));
    });
  });

  it('is not said to be in force while a worker stands still, and is when it is sent again', async () => {
    const idp = await issuer();
    write('a.yaml', withProvider(idp.issuer, ', logout: {audiences: [web]}'));
    const service = await serve(...withAdmin());
    await ready(service);
    const one = client(service);
    const clients = [one, client(service)];
    const [token, session, kept] = [
      await tokenOf(idp, 'token'),
      await tokenOf(idp, 'session'),
      await tokenOf(idp, 'kept'),
    ];
    for (const each of [token, session, kept]) expect(await everywhere(clients, each)).toEqual(allowed);
    const logOut = async (): Promise<number> => {
      const claims = { aud: 'web', sub: 'alice', sid: 'session-session', jti: 'logout' };
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
      const logoutToken = await idp.sign({ ...claims, events }, { typ: 'logout+jwt' });
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const url = `http://127.0.0.1:${service.httpPort}/backchannel-logout/shop/idp`;
      return (await postText(url, form, `logout_token=${logoutToken}`)).status;
    };
    const goOn = stop(pidsOf(service)[1] ?? 0);
    const began = performance.now();
    const outcomes = await Promise.all([revoke(service, idp, 'token'), logOut()]);
    expect(outcomes).toMatchObject([[503, { error: 'not_shared' }], 503]);
    expect(performance.now() - began).toBeLessThan(4000);
    // Who has heard of it holds to it already.
    expect([await ask(one, token), await ask(one, session), await ask(one, kept)]).toEqual([
      '401 token_revoked',
      '401 token_revoked',
      'allow',
    ]);
    goOn();
    expect(await revoke(service, idp, 'token')).toMatchObject([200, { scope: 'local' }]);
    expect(await logOut()).toBe(200);
    for (const each of [token, session]) expect(await everywhere(clients, each)).toEqual(revoked);
    expect(await everywhere(clients, kept)).toEqual(allowed);
    expect(await metricOf(service, 'portcullis_worker_exits_total')).toBe(0);
  }, 30_000);

  it('waits for no worker that dies meanwhile, and the one that takes its place has it', async () => {
    const idp = await issuer();
    write('a.yaml', withProvider(idp.issuer));
    const service = await serve(...withAdmin());
    await ready(service);
    const [token, kept] = [await tokenOf(idp, 'token'), await tokenOf(idp, 'kept')];
    const clients = [client(service), client(service)];
    expect(await everywhere(clients, token)).toEqual(allowed);
    const [, stopped = 0] = pidsOf(service);
    stop(stopped);
    const answer = revoke(service, idp, 'token');
    await sleep(500);
    process.kill(stopped, 'SIGKILL');
    expect(await answer).toMatchObject([200, { scope: 'local' }]);
    await eventually(async () => {
      expect(pidsOf(service)[1]).not.toBe(stopped);
      expect((await statusOf(service)).workers.serving).toBe(2);
    });
    const fresh = [client(service), client(service)];
    expect([await everywhere(fresh, token), await everywhere(fresh, kept)]).toEqual([revoked, allowed]);
  }, 30_000);

  it('of thousands is at a worker that takes the place of another before it has its first connection', async () => {
    const idp = await issuer();
    write('a.yaml', withProvider(idp.issuer));
    const lines = Array.from({ length: 30_000 }, (_line, i) =>
      JSON.stringify({ issuer: idp.issuer, jti: `many-${i}` }),
    );
    const service = await serve(...withAdmin());
    await ready(service);
    for (let from = 0; from < lines.length; from += 1000) {
      const answer = await fetch(`http://127.0.0.1:${service.adminPort}/revocations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
        body: `{"revocations": [${lines.slice(from, from + 1000).join(',')}]}`,
      });
      expect(answer.status).toBe(200);
    }
    const [last, kept] = [await tokenOf(idp, 'many-29999'), await tokenOf(idp, 'kept')];
    expect(await everywhere([client(service), client(service)], kept)).toEqual(allowed);
    for (let turn = 0; turn < 3; turn++) {
      await replaceWorker(service);
      // At once, and to the new one: the other has connections.
      const fresh = client(service);
      expect([await ask(fresh, last), await ask(fresh, kept)]).toEqual(['401 token_revoked', 'allow']);
    }
  }, 60_000);
});

it('a DPoP proof is used once, whichever worker it comes to', async () => {
  const idp = await issuer();
  write('a.yaml', withProvider(idp.issuer, dpopRequired));
  const service = await serve('--transport', 'native');
  await ready(service);
  const clients = [client(service), client(service)];
  for (let i = 0; i < 5; i++) {
    const outcomes = await Promise.all([...clients, ...clients].map(await presenter(idp)));
    expect(outcomes.toSorted()).toEqual(['401 dpop_replayed', '401 dpop_replayed', '401 dpop_replayed', 'allow']);
  }
});

it('a DPoP proof is refused while the process that watches cannot say whether it is new, and nothing else is', async () => {
  const idp = await issuer();
  write('a.yaml', withProvider(idp.issuer));
  const service = await serve('--transport', 'native');
  await ready(service);
  const [one, two] = [client(service), client(service)];
  const clients = [one, two];
  const token = await tokenOf(idp, 'token');
  const fresh = (): ReturnType<typeof presenter> => presenter(idp);
  const [before, first, second, after] = [await fresh(), await fresh(), await fresh(), await fresh()];
  expect([await everywhere(clients, token), await before(one)]).toEqual([allowed, 'allow']);
  onEnd(() => service.signal('SIGCONT'));
  service.signal('SIGSTOP');
  const began = performance.now();
  expect(await Promise.all([first(one), second(two)])).toEqual(['503 store_unavailable', '503 store_unavailable']);
  expect(performance.now() - began).toBeLessThan(3000);
  expect(await everywhere(clients, token)).toEqual(allowed);
  service.signal('SIGCONT');
  await eventually(async () => expect(await (await fresh())(one)).toBe('allow'));
  expect(await after(two)).toBe('allow');
  expect(await metricOf(service, 'portcullis_worker_exits_total')).toBe(0);
}, 30_000);

/** Shows one new proof wherever it is told to. */
async function presenter(idp: Issuer): Promise<(to: CheckClient) => Promise<string>> {
  const prover = await createDpopClient('http://a.example/');
  const token = await idp.sign({ sub: 'alice', cnf: { jkt: prover.jkt } });
  const proof = await prover.prove(token);
  return (to) =>
    ask(to, undefined, [
      ['authorization', `DPoP ${token}`],
      ['dpop', proof],
    ]);
}

it('a key that its issuer has withdrawn is refused by each worker after the interval, whoever fetched', async () => {
  const idp = await issuer();
  write('a.yaml', withProvider(idp.issuer));
  const service = await serve('--transport', 'native', '--key-refresh-interval', '10s');
  await ready(service);
  const clients = [client(service), client(service)];
  const token = await tokenOf(idp, 'before');
  expect(await everywhere(clients, token)).toEqual(allowed);
  await idp.rotate({ withdrawOld: true });
  const began = performance.now();
  const refused = ['401 token_key', '401 token_key'];
  await eventually(async () => expect(await everywhere(clients, token)).toEqual(refused), 20_000);
  expect(performance.now() - began).toBeLessThan(11_500);
  expect(await everywhere(clients, await tokenOf(idp, 'after'))).toEqual(allowed);
}, 60_000);

it('keys are fetched once, and go on to be known to a worker that begins while their issuer is away', async () => {
  const idp = await issuer();
  write('a.yaml', withProvider(idp.issuer));
  const service = await serve('--transport', 'native');
  await ready(service);
  const token = await idp.sign({ sub: 'alice' });
  expect(await ask(client(service), token)).toBe('allow');
  await idp.close();
  await replaceWorker(service);
  const fresh = [client(service), client(service), client(service)];
  expect(await everywhere(fresh, token)).toEqual(fresh.map(() => 'allow'));
});

describeWithRedis('two workers and another replica that share a real Redis', (redisBinary) => {
  /** The clients are of the two workers, and of the other replica. */
  interface Shared {
    readonly redis: TestRedis;
    readonly idp: Issuer;
    readonly service: ServeProcess;
    readonly other: ServeProcess;
    readonly clients: readonly CheckClient[];
  }
  const start = async (more = '', grace = '0s'): Promise<Shared> => {
    const redis = await startRedis(redisBinary);
    onEnd(() => redis.close());
    const idp = await issuer();
    write('a.yaml', withProvider(idp.issuer, more));
    const url = `redis://127.0.0.1:${redis.port}`;
    const flags = [...withAdmin(), '--redis-url', url, '--revocations-grace', grace];
    const [service, other] = [await serve(...flags), await serve(...flags, '--workers', '1')];
    await ready(service);
    await ready(other);
    return { redis, idp, service, other, clients: [client(service), client(service), client(other)] };
  };
  const all = (outcome: string): readonly string[] => [outcome, outcome, outcome];

  it('a revocation at any of them is in force at all, at both workers once it is answered', async () => {
    const { idp, service, other, clients } = await start();
    const [here, there, kept] = [await tokenOf(idp, 'here'), await tokenOf(idp, 'there'), await tokenOf(idp, 'kept')];
    for (const token of [here, there, kept])
      await eventually(async () => expect(await everywhere(clients, token)).toEqual(all('allow')));
    expect(await revoke(service, idp, 'here')).toMatchObject([200, { scope: 'shared' }]);
    expect(await everywhere(clients.slice(0, 2), here)).toEqual(revoked);
    await eventually(async () => expect(await everywhere(clients, here)).toEqual(all('401 token_revoked')), 1000);
    expect(await revoke(other, idp, 'there')).toMatchObject([200, { scope: 'shared' }]);
    await eventually(async () => expect(await everywhere(clients, there)).toEqual(all('401 token_revoked')), 1000);
    expect(await everywhere(clients, kept)).toEqual(all('allow'));
  }, 30_000);

  it('a DPoP proof that one of them has taken is refused by the others', async () => {
    const { idp, clients } = await start(dpopRequired);
    await eventually(async () =>
      expect(await Promise.all(clients.slice(0, 1).map(await presenter(idp)))).toEqual(['allow']),
    );
    for (let first = 0; first < clients.length; first++) {
      const show = await presenter(idp);
      const inTurn = [...clients.slice(first), ...clients.slice(0, first)];
      const outcomes: string[] = [];
      for (const each of inTurn) outcomes.push(await show(each));
      expect(outcomes).toEqual(['allow', '401 dpop_replayed', '401 dpop_replayed']);
    }
    const together = await Promise.all([...clients, ...clients].map(await presenter(idp)));
    expect(together.toSorted()).toEqual([...Array.from({ length: 5 }, () => '401 dpop_replayed'), 'allow']);
  }, 30_000);

  it('a worker that begins while Redis is away goes on by what was read, like the other, for as long as the grace', async () => {
    const { redis, idp, service, clients } = await start('', '60s');
    const [ended, kept] = [await tokenOf(idp, 'ended'), await tokenOf(idp, 'kept')];
    await eventually(async () => expect(await everywhere(clients, kept)).toEqual(all('allow')));
    expect(await revoke(service, idp, 'ended')).toMatchObject([200, { scope: 'shared' }]);
    await redis.kill();
    await eventually(async () => expect(await metricOf(service, 'portcullis_redis_up')).toBe(0));
    // Longer than a list counts as read without being confirmed.
    await sleep(3000);
    await replaceWorker(service);
    const fresh = client(service);
    expect([await ask(fresh, kept), await ask(fresh, ended)]).toEqual(['allow', '401 token_revoked']);
  }, 60_000);

  it('without Redis neither worker lets anybody in, nor one that begins meanwhile, and all go on by themselves when it is back', async () => {
    const { redis, idp, service, clients } = await start();
    const [ended, kept] = [await tokenOf(idp, 'ended'), await tokenOf(idp, 'kept')];
    await eventually(async () => expect(await everywhere(clients, kept)).toEqual(all('allow')));
    expect(await revoke(service, idp, 'ended')).toMatchObject([200, { scope: 'shared' }]);
    await redis.kill();
    const unavailable = all('503 revocations_unavailable');
    await eventually(async () => expect(await everywhere(clients, kept)).toEqual(unavailable), 5000);
    // What was read before is still held to.
    await eventually(async () => expect(await everywhere(clients, ended)).toEqual(all('401 token_revoked')));
    expect(await Promise.all(clients.slice(0, 2).map(await presenter(idp)))).toEqual([
      '503 store_unavailable',
      '503 store_unavailable',
    ]);
    expect(await revoke(service, idp, 'late')).toMatchObject([503, { error: 'not_shared' }]);
    expect((await getText(service.httpPort, '/readyz')).status).toBe(200);
    await replaceWorker(service);
    const fresh = client(service);
    expect([await ask(fresh, kept), await ask(fresh, ended)]).toEqual([
      '503 revocations_unavailable',
      '401 token_revoked',
    ]);
    await redis.restart();
    const now = [fresh, client(service), ...clients.slice(2)];
    await eventually(async () => expect(await everywhere(now, kept)).toEqual(all('allow')), 10_000);
    expect(await everywhere(now, ended)).toEqual(all('401 token_revoked'));
    await eventually(async () =>
      expect(await Promise.all(now.slice(0, 1).map(await presenter(idp)))).toEqual(['allow']),
    );
  }, 60_000);
});

import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { getText, healthOf } from './support/serve-process.ts';
import { ask, isAlive, metricOf, pidsOf, policy, ready, statusOf, useWorkersStand } from './support/workers-stand.ts';

const { pathOf, write, serve, client } = useWorkersStand();

describe.each(['native', 'grpc-js'])('two workers on the transport %s', (transport) => {
  it('both answer, each its own connections, and their logs and metrics say so', async () => {
    write('a.yaml', policy('Public'));
    const service = await serve('--transport', transport);
    await ready(service);
    const [one, two] = [client(service), client(service)];
    for (let i = 0; i < 3; i++) expect([await ask(one), await ask(two)]).toEqual(['allow', 'allow']);
    expect(await healthOf(service.grpcAddress)).toBe('SERVING');
    expect(await metricOf(service, 'portcullis_decisions_total', 'decision="allow"')).toBe(6);
    expect(await metricOf(service, 'portcullis_check_duration_seconds_count')).toBe(6);
    expect(await metricOf(service, 'portcullis_documents')).toBe(1);
    expect(await metricOf(service, 'portcullis_workers', 'serving')).toBe(2);
    expect(await statusOf(service)).toMatchObject({ transport });
    expect(service.lines().find(({ msg }) => msg === 'serving')).toMatchObject({ transport });
    service.signal('SIGTERM');
    expect(await service.ended).toBe(0);
    const decisions = service.lines().filter(({ msg }) => msg === 'decision');
    expect(decisions.map(({ worker }) => Number(worker)).toSorted((a, b) => a - b)).toEqual([1, 1, 1, 2, 2, 2]);
    expect(pidsOf(service).map(isAlive)).toEqual([false, false]);
  });
});

describe('policies', () => {
  it('are in force at both before anybody says so, change after change', async () => {
    write('a.yaml', policy('Public'));
    const service = await serve('--transport', 'native');
    await ready(service);
    const [one, two] = [client(service), client(service)];
    for (let turn = 0; turn < 20; turn++) {
      const { revision } = await statusOf(service);
      const access = turn % 2 === 0 ? 'Denied' : 'Public';
      write('a.yaml', policy(access));
      const status = await eventually(async () => {
        const now = await statusOf(service);
        expect(now.revision).toBeGreaterThan(revision);
        return now;
      });
      const expected = access === 'Public' ? 'allow' : '403 denied';
      expect([await ask(one), await ask(two)]).toEqual([expected, expected]);
      expect(status.workers).toMatchObject({ wanted: 2, serving: 2, inForce: status.workers.sent });
    }
  });

  it('are not said to be in force while a worker stands still, which is ended for it, and the next one has them', async () => {
    write('a.yaml', policy('Public'));
    const service = await serve('--transport', 'native');
    await ready(service);
    const [one, two] = [client(service), client(service)];
    expect([await ask(one), await ask(two)]).toEqual(['allow', 'allow']);
    const { revision } = await statusOf(service);
    const [, stopped = 0] = pidsOf(service);
    process.kill(stopped, 'SIGSTOP');
    write('a.yaml', policy('Denied'));
    await sleep(3000);
    expect(await statusOf(service)).toMatchObject({ revision, workers: { serving: 2, sent: 2, inForce: 1 } });
    const began = performance.now();
    await eventually(async () => expect((await statusOf(service)).revision).toBeGreaterThan(revision), 20_000);
    expect(performance.now() - began).toBeLessThan(12_000);
    await eventually(async () => expect((await statusOf(service)).workers.serving).toBe(2));
    expect(isAlive(stopped)).toBe(false);
    const fresh = [client(service), client(service), client(service)];
    expect(await Promise.all(fresh.map((each) => ask(each)))).toEqual(['403 denied', '403 denied', '403 denied']);
    expect(await metricOf(service, 'portcullis_worker_exits_total', 'reason="hung"')).toBe(1);
  }, 60_000);
});

describe('a worker that is killed under load', () => {
  it('takes its connections with it and nothing else: no request is answered wrongly, and the others go on', async () => {
    write('a.yaml', policy('Public'));
    const service = await serve('--transport', 'native', '--log-decisions', 'none');
    await ready(service);
    const clients = [client(service), client(service), client(service), client(service)];
    const answers = clients.map(() => new Set<string>());
    const failures = clients.map(() => 0);
    const load = new AbortController();
    const loads = clients.map(async (each, index) => {
      while (!load.signal.aborted) {
        try {
          answers[index]?.add(await ask(each));
        } catch {
          failures[index] = (failures[index] ?? 0) + 1;
          await sleep(5);
        }
      }
    });
    await sleep(500);
    const before = await metricOf(service, 'portcullis_decisions_total', 'decision="allow"');
    const [killed = 0] = pidsOf(service);
    process.kill(killed, 'SIGKILL');
    await eventually(async () => {
      expect(pidsOf(service)[0]).not.toBe(killed);
      expect((await statusOf(service)).workers.serving).toBe(2);
    });
    await sleep(500);
    load.abort();
    await Promise.all(loads);
    expect(answers.map((each) => [...each])).toEqual(clients.map(() => ['allow']));
    // Two of the four connections were those of the one that died.
    expect(failures.filter((count) => count === 0)).toHaveLength(2);
    expect(await metricOf(service, 'portcullis_decisions_total', 'decision="allow"')).toBeGreaterThan(before);
    expect(await metricOf(service, 'portcullis_worker_exits_total', 'reason="died"')).toBe(1);
    expect((await getText(service.httpPort, '/readyz')).status).toBe(200);
    const fresh = [client(service), client(service)];
    expect(await Promise.all(fresh.map((each) => ask(each)))).toEqual(['allow', 'allow']);
  });

  it('is not missed by those that are left while policies change, and all workers killed together come back with the last ones', async () => {
    write('a.yaml', policy('Public'));
    const service = await serve('--transport', 'native');
    await ready(service);
    for (const pid of pidsOf(service)) process.kill(pid, 'SIGKILL');
    write('a.yaml', policy('Denied'));
    await eventually(async () =>
      expect((await statusOf(service)).workers).toEqual({ wanted: 2, serving: 2, sent: 2, inForce: 2 }),
    );
    await ready(service);
    const fresh = [client(service), client(service)];
    expect(await Promise.all(fresh.map((each) => ask(each)))).toEqual(['403 denied', '403 denied']);
  });
});

describe('the end', () => {
  it('loses no request: all workers say NOT_SERVING, serve on, and answer what is under way', async () => {
    write('a.yaml', policy('Public'));
    const service = await serve('--transport', 'native', '--shutdown-delay', '1s', '--log-decisions', 'none');
    await ready(service);
    const clients = [client(service), client(service)];
    const load = new AbortController();
    let count = 0;
    const loads = clients.flatMap((each) =>
      Array.from({ length: 8 }, async () => {
        while (!load.signal.aborted) {
          expect(await ask(each)).toBe('allow');
          count++;
        }
      }),
    );
    await sleep(300);
    service.signal('SIGTERM');
    await eventually(async () => expect(await healthOf(service.grpcAddress)).toBe('NOT_SERVING'));
    expect((await getText(service.httpPort, '/readyz')).status).toBe(503);
    const before = count;
    await sleep(200);
    expect(count).toBeGreaterThan(before);
    load.abort();
    await Promise.all(loads);
    expect(await service.ended).toBe(0);
    expect(pidsOf(service).map(isAlive)).toEqual([false, false]);
  });

  it('of the process that watches is that of all', async () => {
    write('a.yaml', policy('Public'));
    const service = await serve('--transport', 'native');
    await ready(service);
    const pids = pidsOf(service);
    service.signal('SIGKILL');
    await service.ended;
    await eventually(() => expect(pids.map(isAlive)).toEqual([false, false]), 3000);
    const last = service.lines().filter(({ msg }) => msg === 'the process that watches is gone: the worker ends');
    expect(last.map(({ worker }) => Number(worker)).toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect(service.lines().filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('comes before the beginning where a worker cannot start, and says why', async () => {
    write('a.yaml', policy('Public'));
    writeFileSync(pathOf('bad.pem'), 'no certificate');
    const bad = pathOf('bad.pem');
    await expect(serve('--tls-certificate', bad, '--tls-key', bad)).rejects.toThrow(/ended with 1.*tls_unusable/s);
  });
});

it('a unix socket is served by both', async () => {
  write('a.yaml', policy('Public'));
  const path = pathOf('grpc.sock');
  const service = await serve('--transport', 'native', '--grpc-address', `unix:${path}`);
  await ready(service);
  const [one, two] = [client(service), client(service)];
  for (let i = 0; i < 2; i++) expect([await ask(one), await ask(two)]).toEqual(['allow', 'allow']);
  service.signal('SIGTERM');
  expect(await service.ended).toBe(0);
  const decisions = service.lines().filter(({ msg }) => msg === 'decision');
  expect(decisions.map(({ worker }) => Number(worker)).toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2]);
});

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { credentials } from '@grpc/grpc-js';
import { createAuthority } from '../support/certificates.ts';
import { startIssuer, type Issuer } from '../../src/dev/issuer.ts';
import {
  checkOf,
  createCheckClient,
  encodeCheck,
  type CheckAnswer,
  type CheckClient,
} from '../support/check-over-grpc.ts';
import { eventually } from '../support/eventually.ts';
import { createDpopClient } from './support/dpop-client.ts';
import { getText, healthOf, startServe, type ServeProcess } from './support/serve-process.ts';

let folder: string;
let policies: string;
const closers: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-workers-'));
  policies = mkdtempSync(join(folder, 'policies-'));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const local = ['--allowed-private-address', '127.0.0.0/8'];

/** At once, as an operator's tool does. */
function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
  renameSync(join(folder, name), join(policies, name));
}

async function serve(...flags: readonly string[]): Promise<ServeProcess> {
  const service = await startServe(policies, [...local, '--workers', '2', ...flags]);
  closers.push(() => service.close());
  return service;
}

async function issuer(): Promise<Issuer> {
  const started = await startIssuer(0, 'orders');
  closers.push(() => started.close());
  return started;
}

/** A client with a connection of its own, which is another worker's than that of the client before. */
function client(service: ServeProcess): CheckClient {
  const made = createCheckClient(service.grpcAddress);
  closers.push(() => made.close());
  return made;
}

const policy = (access: string, host = 'a.example'): string => `apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: a, namespace: shop}
spec: {hosts: [${host}], rules: [{name: r, matches: [{path: {type: PathPrefix, value: /}}], access: ${access}}]}
`;
const withProvider = (iss: string): string => `apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "${iss}", audiences: [orders]}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: a, namespace: shop}
spec: {hosts: [a.example], authentication: {providers: [{name: idp}]}, rules: [{name: r, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]}
`;

async function ask(
  from: CheckClient,
  token?: string,
  headers: readonly (readonly [string, string])[] = [],
): Promise<string> {
  const request = { method: 'GET', host: 'a.example', path: '/', headers, clientIp: undefined };
  return outcome(await from.send(encodeCheck(checkOf(request, token, 'joined'))));
}

function outcome(answer: CheckAnswer): string {
  if (answer.status?.code === 0) return 'allow';
  const body = JSON.parse(answer.deniedResponse?.body ?? '{}') as { error?: string };
  return `${answer.deniedResponse?.status?.code} ${body.error}`;
}

/** The processes of the workers that were started last, by number. */
function pidsOf(service: ServeProcess): readonly number[] {
  const pids = new Map<unknown, number>();
  for (const { msg, worker, pid } of service.lines()) if (msg === 'a worker has started') pids.set(worker, Number(pid));
  return [...pids].toSorted(([a], [b]) => Number(a) - Number(b)).map(([, pid]) => pid);
}

interface Status {
  readonly ready: boolean;
  readonly revision: number;
  readonly workers: {
    readonly wanted: number;
    readonly serving: number;
    readonly sent: number;
    readonly inForce: number;
  };
}

async function statusOf(service: ServeProcess): Promise<Status> {
  return JSON.parse((await getText(service.adminPort, '/api/status')).text) as Status;
}

/** The sum of all series of a metric whose labels hold the text. */
async function metricOf(service: ServeProcess, name: string, labels = ''): Promise<number> {
  const { text } = await getText(service.httpPort, '/metrics');
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.filter((line) => line.includes(labels)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const ready = (service: ServeProcess): Promise<void> =>
  eventually(async () => expect((await getText(service.httpPort, '/readyz')).status).toBe(200));
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

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

describe('what is one for all workers', () => {
  const adminToken = 'an-admin-token-of-the-test';

  it('a token that is revoked by the admin call is refused by each of them once the call is answered, also by one that comes later', async () => {
    const idp = await issuer();
    write('a.yaml', withProvider(idp.issuer));
    writeFileSync(join(folder, 'admin.token'), adminToken);
    const service = await serve('--transport', 'native', '--admin-token-file', join(folder, 'admin.token'));
    await ready(service);
    const [one, two] = [client(service), client(service)];
    for (let i = 0; i < 10; i++) {
      const token = await idp.sign({ sub: 'alice', jti: `token-${i}` });
      const kept = await idp.sign({ sub: 'alice', jti: `kept-${i}` });
      expect([await ask(one, token), await ask(two, token)]).toEqual(['allow', 'allow']);
      const began = performance.now();
      const answer = await fetch(`http://127.0.0.1:${service.adminPort}/revocations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ revocations: [{ issuer: idp.issuer, jti: `token-${i}` }] }),
      });
      expect([answer.status, await answer.json()]).toMatchObject([200, { scope: 'local' }]);
      expect(performance.now() - began).toBeLessThan(1000);
      expect([await ask(one, token), await ask(two, token)]).toEqual(['401 token_revoked', '401 token_revoked']);
      expect([await ask(one, kept), await ask(two, kept)]).toEqual(['allow', 'allow']);
    }
    const [killed = 0] = pidsOf(service);
    process.kill(killed, 'SIGKILL');
    await eventually(async () => {
      expect(pidsOf(service)[0]).not.toBe(killed);
      expect((await statusOf(service)).workers.serving).toBe(2);
    });
    const revoked = await idp.sign({ sub: 'alice', jti: 'token-3' });
    const good = await idp.sign({ sub: 'alice', jti: 'kept-3' });
    const fresh = [client(service), client(service), client(service)];
    expect(await Promise.all(fresh.map((each) => ask(each, revoked)))).toEqual(fresh.map(() => '401 token_revoked'));
    expect(await Promise.all(fresh.map((each) => ask(each, good)))).toEqual(fresh.map(() => 'allow'));
  });

  it('a DPoP proof is used once, whichever worker it comes to', async () => {
    const idp = await issuer();
    write(
      'a.yaml',
      withProvider(idp.issuer).replace('audiences: [orders]', 'audiences: [orders], binding: {dpop: Required}'),
    );
    const service = await serve('--transport', 'native');
    await ready(service);
    const prover = await createDpopClient('http://a.example/');
    const token = await idp.sign({ sub: 'alice', cnf: { jkt: prover.jkt } });
    const clients = [client(service), client(service)];
    const present = (proof: string) => (each: CheckClient) =>
      ask(each, undefined, [
        ['authorization', `DPoP ${token}`],
        ['dpop', proof],
      ]);
    for (let i = 0; i < 5; i++) {
      const outcomes = await Promise.all([...clients, ...clients].map(present(await prover.prove(token))));
      expect(outcomes.toSorted()).toEqual(['401 dpop_replayed', '401 dpop_replayed', '401 dpop_replayed', 'allow']);
    }
  });

  it('keys are fetched once, and go on to be known to a worker that begins while their issuer is away', async () => {
    const idp = await issuer();
    write('a.yaml', withProvider(idp.issuer));
    const service = await serve('--transport', 'native');
    await ready(service);
    const token = await idp.sign({ sub: 'alice' });
    expect(await ask(client(service), token)).toBe('allow');
    await idp.close();
    const [killed = 0] = pidsOf(service);
    process.kill(killed, 'SIGKILL');
    await eventually(async () => {
      expect(pidsOf(service)[0]).not.toBe(killed);
      expect((await statusOf(service)).workers.serving).toBe(2);
    });
    const fresh = [client(service), client(service), client(service)];
    expect(await Promise.all(fresh.map((each) => ask(each, token)))).toEqual(fresh.map(() => 'allow'));
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
  });

  it('comes before the beginning where a worker cannot start, and says why', async () => {
    write('a.yaml', policy('Public'));
    writeFileSync(join(folder, 'bad.pem'), 'no certificate');
    const bad = join(folder, 'bad.pem');
    await expect(serve('--tls-certificate', bad, '--tls-key', bad)).rejects.toThrow(/ended with 1.*tls_unusable/s);
  });
});

it('TLS is spoken by each worker, and each follows its files', async () => {
  write('a.yaml', policy('Public'));
  const pathOf = (name: string): string => join(folder, name);
  const issue = (authority: ReturnType<typeof createAuthority>): void => {
    const { certificate, key } = authority.issue();
    writeFileSync(pathOf('tls.crt'), certificate);
    writeFileSync(pathOf('tls.key'), key);
  };
  const [first, second] = [createAuthority('first'), createAuthority('second')];
  issue(first);
  const service = await serve(
    '--transport',
    'native',
    '--tls-certificate',
    pathOf('tls.crt'),
    '--tls-key',
    pathOf('tls.key'),
  );
  await ready(service);
  const trusting = ({ certificate }: typeof first): CheckClient => {
    const made = createCheckClient(service.grpcAddress, credentials.createSsl(Buffer.from(certificate)));
    closers.push(() => made.close());
    return made;
  };
  const [one, two] = [trusting(first), trusting(first)];
  expect([await ask(one), await ask(two)]).toEqual(['allow', 'allow']);
  expect(await metricOf(service, 'portcullis_tls_handshakes_total', 'ok')).toBe(2);
  issue(second);
  await eventually(async () => expect(await metricOf(service, 'portcullis_tls_reloads_total', 'ok')).toBe(2));
  const [three, four] = [trusting(second), trusting(second)];
  expect([await ask(three), await ask(four), await ask(one), await ask(two)]).toEqual(Array(4).fill('allow'));
  service.signal('SIGTERM');
  expect(await service.ended).toBe(0);
  const workers = service.lines().filter(({ msg }) => msg === 'decision');
  expect(new Set(workers.map(({ worker }) => worker))).toEqual(new Set([1, 2]));
}, 30_000);

it('a unix socket is served by both', async () => {
  write('a.yaml', policy('Public'));
  const path = join(folder, 'grpc.sock');
  const service = await serve('--transport', 'native', '--grpc-address', `unix:${path}`);
  await ready(service);
  const [one, two] = [client(service), client(service)];
  for (let i = 0; i < 2; i++) expect([await ask(one), await ask(two)]).toEqual(['allow', 'allow']);
  service.signal('SIGTERM');
  expect(await service.ended).toBe(0);
  const decisions = service.lines().filter(({ msg }) => msg === 'decision');
  expect(decisions.map(({ worker }) => Number(worker)).toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2]);
});

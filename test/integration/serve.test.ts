import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startIssuer, type Issuer } from '../../src/dev/issuer.ts';
import {
  checkOf,
  createCheckClient,
  encodeCheck,
  type CheckAnswer,
  type CheckClient,
} from '../support/check-over-grpc.ts';
import { startFaultyIssuer } from './support/faulty-issuer.ts';
import { getText, healthOf, runCli, startServe, type ServeProcess } from './support/serve-process.ts';

let folder: string;
const closers: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-serve-'));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const local = ['--allowed-private-address', '127.0.0.0/8'];

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

async function serve(flags: readonly string[] = local): Promise<ServeProcess> {
  const service = await startServe(folder, flags);
  closers.push(() => service.close());
  return service;
}

async function issuer(): Promise<Issuer> {
  const started = await startIssuer(0, 'orders');
  closers.push(() => started.close());
  return started;
}

function client(service: ServeProcess): CheckClient {
  const made = createCheckClient(service.grpcAddress);
  closers.push(() => made.close());
  return made;
}

const provider = (iss: string, name = 'idp'): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: IdentityProvider\nmetadata: {name: ${name}, namespace: shop}\nspec: {type: JWT, jwt: {issuer: "${iss}", audiences: [orders]}}\n---\n`;
const policy = (rules: string, host = 'a.example', idp = 'idp'): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: ${host.split('.')[0]}, namespace: shop}\nspec: {hosts: [${host}], authentication: {providers: [{name: ${idp}}]}, rules: [${rules}]}\n---\n`;
const opaque = (endpoint: string, secret: string): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: o, namespace: shop}\nstringData: {client_id: ${secret}, client_secret: ${secret}}\n---\napiVersion: portcullis.dev/v1alpha1\nkind: IdentityProvider\nmetadata: {name: opaque, namespace: shop}\nspec: {type: Introspection, introspection: {endpoint: "${endpoint}", audiences: [orders], clientAuthentication: {method: Basic, secretRef: {name: o}}}}\n---\n`;
const open = '{name: open, matches: [{path: {type: PathPrefix, value: /}}], access: Public}';
const mine = '{name: mine, matches: [{path: {type: PathPrefix, value: /mine}}], access: Authenticated}';
const plain = policy(open).replace(', authentication: {providers: [{name: idp}]}', '');

const request = (path: string, host = 'a.example') => ({ method: 'GET', host, path, headers: [], clientIp: undefined });

async function ask(from: CheckClient, path: string, token?: string, host?: string): Promise<string> {
  return outcome(await from.send(encodeCheck(checkOf(request(path, host), token, 'joined'))));
}

function outcome(answer: CheckAnswer): string {
  if (answer.status?.code === 0) return 'allow';
  const body = JSON.parse(answer.deniedResponse?.body ?? '{}') as { error?: string };
  return `${answer.deniedResponse?.status?.code} ${body.error}`;
}

describe('S30 before the first load', () => {
  test('the port is bound, every check is denied with 503, and health says NOT_SERVING', async () => {
    const slow = await startFaultyIssuer('silent');
    closers.push(() => slow.close());
    write('p.yaml', provider(slow.issuer) + policy(`${open}, ${mine}`));
    const service = await serve([...local, '--key-load-timeout', '2s', '--key-fetch-timeout', '1m']);
    const checks = client(service);
    expect(await ask(checks, '/')).toBe('503 not_ready');
    expect(await healthOf(service.grpcAddress)).toBe('NOT_SERVING');
    expect((await getText(service.httpPort, '/readyz')).status).toBe(503);
    expect((await getText(service.httpPort, '/healthz')).status).toBe(200);
    await expect.poll(() => healthOf(service.grpcAddress), { timeout: 6000 }).toBe('SERVING');
    expect(await ask(checks, '/')).toBe('allow');
    expect((await getText(service.httpPort, '/readyz')).status).toBe(200);
  });
});

describe('a folder that changes', () => {
  test('is enforced at once, keeps the last good generation of what becomes bad, and says so', async () => {
    write('a.yaml', plain);
    const service = await serve();
    const checks = client(service);
    await expect.poll(() => ask(checks, '/x')).toBe('allow');
    write('a.yaml', plain.replace('value: /}', 'value: /y}'));
    await expect.poll(() => ask(checks, '/x')).toBe('403 no_rule');
    for (const bad of [
      plain.replace('access: Public', 'acess: Public'),
      `${plain}}{`,
      plain.replace('rules:', 'rules: {'),
      '\u0000',
    ]) {
      write('a.yaml', bad);
      await expect
        .poll(async () => (await getText(service.adminPort, '/api/status')).text)
        .toMatch(/last-good|not-a-document|not-yaml/);
      expect(await ask(checks, '/x')).toBe('403 no_rule');
      expect(await ask(checks, '/y')).toBe('allow');
    }
    writeFileSync(join(folder, '.next'), plain);
    renameSync(join(folder, '.next'), join(folder, 'a.yaml'));
    await expect.poll(() => ask(checks, '/x')).toBe('allow');
  });

  test('a bad document touches no other', async () => {
    write('a.yaml', plain);
    write(
      'b.yaml',
      plain.replaceAll('a.example', 'b.example').replace('name: a', 'name: b').replace('Public', 'Pubic'),
    );
    const service = await serve();
    const checks = client(service);
    await expect.poll(() => ask(checks, '/x')).toBe('allow');
    expect(await ask(checks, '/x', undefined, 'b.example')).toBe('503 policy_invalid');
    expect(service.lines().find(({ document }) => document === 'AccessPolicy shop/b')).toMatchObject({
      level: 'warn',
      serving: 'refused',
      problems: [expect.stringContaining('b.yaml:4:')],
    });
  });
});

describe('keys', () => {
  test('an issuer that is down from the start is denied with 503, and recovered from by itself in seconds', async () => {
    const real = await startIssuer(0, 'orders');
    const port = Number(new URL(real.issuer).port);
    const token = await real.sign({ sub: 'u' });
    await real.close();
    write('p.yaml', provider(real.issuer) + policy(mine));
    const service = await serve();
    const checks = client(service);
    await expect.poll(() => ask(checks, '/mine', token), { timeout: 6000 }).toBe('503 keys_unavailable');
    const again = await startIssuer(port, 'orders');
    closers.push(() => again.close());
    const fresh = await again.sign({ sub: 'u' });
    await expect.poll(() => ask(checks, '/mine', fresh), { timeout: 15_000, interval: 200 }).toBe('allow');
  });

  test('known keys keep working while the issuer is down', async () => {
    const idp = await issuer();
    write('p.yaml', provider(idp.issuer) + policy(mine));
    const service = await serve();
    const checks = client(service);
    const [known, other] = [await idp.sign({ sub: 'a' }), await idp.sign({ sub: 'b' })];
    await expect.poll(() => ask(checks, '/mine', known)).toBe('allow');
    await idp.close();
    expect([await ask(checks, '/mine', known), await ask(checks, '/mine', other)]).toEqual(['allow', 'allow']);
  });

  test('a rotation denies no good token and costs one fetch', async () => {
    const idp = await issuer();
    write('p.yaml', provider(idp.issuer) + policy(mine));
    const checks = client(await serve());
    await expect.poll(async () => ask(checks, '/mine', await idp.sign({ sub: 'a' }))).toBe('allow');
    const fetches = idp.keyFetches;
    await idp.rotate({ withdrawOld: false });
    const tokens = await Promise.all([1, 2, 3, 4].map((n) => idp.sign({ sub: `u${n}` })));
    expect(await Promise.all(tokens.map((token) => ask(checks, '/mine', token)))).toEqual([
      'allow',
      'allow',
      'allow',
      'allow',
    ]);
    expect(idp.keyFetches - fetches).toBe(1);
  });

  test.each(['html', 'error', 'huge', 'redirect', 'gzip', 'empty'] as const)(
    'an issuer that answers badly (%s) leaves others alone',
    async (fault) => {
      const [good, bad] = [await issuer(), await startFaultyIssuer(fault)];
      closers.push(() => bad.close());
      write(
        'p.yaml',
        provider(good.issuer) + provider(bad.issuer, 'bad') + policy(mine) + policy(mine, 'b.example', 'bad'),
      );
      const service = await serve();
      const checks = client(service);
      await expect.poll(async () => ask(checks, '/mine', await good.sign({ sub: 'a' }))).toBe('allow');
      expect(await ask(checks, '/mine', await good.sign({ sub: 'a', iss: bad.issuer }), 'b.example')).toBe(
        '503 keys_unavailable',
      );
      expect((await getText(service.httpPort, '/readyz')).status).toBe(200);
    },
  );

  test('a private address is not called unless it is allowed', async () => {
    const idp = await issuer();
    write('p.yaml', provider(idp.issuer) + policy(mine));
    const service = await serve([]);
    expect(await ask(client(service), '/mine', await idp.sign({ sub: 'a' }))).toMatch(
      /^503 (not_ready|keys_unavailable)$/,
    );
    expect(idp.keyFetches).toBe(0);
  });
});

describe('what no proxy sends', () => {
  test('is one deny each, and what served goes on serving', async () => {
    write('a.yaml', plain);
    const checks = client(await serve());
    await expect.poll(() => ask(checks, '/x')).toBe('allow');
    const http = { method: 'GET', host: 'a.example', path: '/x', scheme: 'http', protocol: 'HTTP/1.1' };
    const check = (more: object): Uint8Array =>
      encodeCheck({ attributes: { request: { http: { ...http, ...more } } } });
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x-${index}`, 'v']));
    const whole = check({});
    const cases: [string, Uint8Array, string][] = [
      ['empty', Buffer.alloc(0), '400 request_undecodable'],
      ['truncated', whole.subarray(0, whole.length - 3), '400 request_undecodable'],
      ['noise', Buffer.from([0xff, 0xff, 0xff, 0xff]), '400 request_undecodable'],
      ['without http', encodeCheck({ attributes: { request: {} } }), '403 request_not_http'],
      ['with 1000 headers', check({ headers: many }), '400 request_too_large'],
      ['with odd names', check({ headers: { __proto__: 'x', constructor: 'y' } }), 'allow'],
      [
        'with bytes that are no text',
        check({ headerMap: { headers: [{ key: 'x', rawValue: Buffer.from([0xff, 0xfe]) }] } }),
        'allow',
      ],
      ['with a body of 4 MB', check({ rawBody: Buffer.alloc(4 * 1024 * 1024, 'a') }), 'allow'],
    ];
    for (const [name, bytes, expected] of cases)
      expect([name, outcome(await checks.send(bytes))]).toEqual([name, expected]);
    expect(await ask(checks, '/x')).toBe('allow');
  });
});

describe('promise 7: no secret is ever written', () => {
  test('not a token, cookie, key or query, in log, metrics or admin page', async () => {
    const idp = await issuer();
    const canary = 'canary4711secret';
    const places = ', from: [{header: authorization, scheme: Bearer}, {cookie: session}, {query: access_token}]';
    write('p.yaml', provider(idp.issuer).replace(', audiences', `${places}, audiences`) + policy(`${open}, ${mine}`));
    write(
      's.yaml',
      `apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {key: ${canary}}\n`,
    );
    write(
      'bad.yaml',
      `apiVersion: v1\nkind: Secret\nmetadata: {name: t, namespace: shop}\nstringData: {key: [${canary}]}\n---\nkey: ${canary}: ${canary}\n`,
    );
    const digest = createHash('sha256').update(`${canary}-and-more`).digest('hex');
    const ofClients = (name: string, spec: string): string =>
      `apiVersion: portcullis.dev/v1alpha1\nkind: IdentityProvider\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n---\n`;
    const selector = 'secretSelector: {matchLabels: {client: "1"}}';
    const clients = [
      `api-key: ${canary}-and-more, key: good, secret: ${canary}-${canary}-and-more`,
      `api-key: ${canary}-and-more, key: twin, secret: ${canary}`,
      `api-key: "${canary} has a space", key: ${canary}, secret: "${canary} "`,
      `api-key: ${canary}-other, api-key-sha256: ${digest}`,
    ].map(
      (data, index) =>
        `apiVersion: v1\nkind: Secret\nmetadata: {name: c${index}, namespace: shop, labels: {client: "1"}}\nstringData: {${data}}\n---\n`,
    );
    write(
      'clients.yaml',
      [
        ofClients('keys', `{type: APIKey, apiKey: {from: [{header: x-api-key}], ${selector}}}`),
        ofClients('partners', `{type: SharedSecretJWT, sharedSecretJwt: {${selector}}}`),
        policy(mine, 'b.example', 'keys').replace('{name: keys}', '{name: keys}, {name: partners}'),
        ...clients,
      ].join(''),
    );
    write(
      'opaque.yaml',
      `${opaque(`${idp.issuer}/introspect?k=${canary}`, canary)}${policy(mine, 'c.example', 'opaque')}`,
    );
    write(
      'basic.yaml',
      `apiVersion: v1\nkind: Secret\nmetadata: {name: users, namespace: shop}\nstringData: {users: "alice:$apr1$${canary}\\n${canary}:${canary}\\nbob:$2b$04$t76bdPvPEtihK.7YHn6p4eSUthRX/k0RzYmHTt3m4y6103yig1Ed2"}\n---\napiVersion: portcullis.dev/v1alpha1\nkind: IdentityProvider\nmetadata: {name: people, namespace: shop}\nspec: {type: Basic, basic: {secretRef: {name: users, key: users}}}\n---\n${policy(mine, 'd.example', 'people')}`,
    );
    write('redis-password', canary);
    const redis = [
      '--redis-url',
      'redis://127.0.0.1:1',
      '--redis-password-file',
      join(folder, 'redis-password'),
      '--revocations-unavailable',
      'Ignore',
    ];
    const service = await serve([...local, ...redis, '--log-level', 'debug']);
    const checks = client(service);
    const token = await idp.sign({ sub: 'u', [canary]: canary });
    await expect.poll(() => ask(checks, '/mine', token)).toBe('allow');
    const secret = (path: string, headers: readonly (readonly [string, string])[]) =>
      checks.send(
        encodeCheck(
          checkOf({ method: 'GET', host: 'a.example', path, headers, clientIp: undefined }, undefined, 'apart'),
        ),
      );
    await secret('/mine', [['authorization', `Bearer ${canary}`]]);
    await secret('/mine', [
      ['authorization', `Bearer ${canary}`],
      ['authorization', `Bearer ${canary}`],
    ]);
    await secret('/mine', [['cookie', `session=${canary}`]]);
    await secret(`/mine?access_token=${canary}`, []);
    await secret(`/mine?access%5Ftoken=${canary}`, []);
    await secret(`//x?q=${canary}`, []);
    await secret('/mine', [['authorization', `Bearer ${token.split('.').slice(0, 2).join('.')}.${canary}`]]);
    await secret('/mine', [['x-other', canary]]);
    const toClients = (headers: readonly (readonly [string, string])[]) =>
      checks.send(
        encodeCheck(
          checkOf(
            { method: 'GET', host: 'b.example', path: '/mine', headers, clientIp: undefined },
            undefined,
            'apart',
          ),
        ),
      );
    await toClients([['x-api-key', `${canary}-and-more`]]);
    const hmac = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from(`{"iss":"${canary}","exp":9999999999}`).toString('base64url')}.${canary}`;
    await toClients([['authorization', `Bearer ${hmac}`]]);
    expect(await ask(checks, '/mine', canary, 'c.example')).toBe('503 introspection_unavailable');
    const bound = await idp.sign({ sub: 'u', cnf: { jkt: 'a'.repeat(43) }, [canary]: canary });
    for (const proof of [canary, `${bound.split('.').slice(0, 2).join('.')}.${canary}`]) {
      await secret('/mine', [
        ['authorization', `DPoP ${bound}`],
        ['dpop', proof],
      ]);
    }
    const basic = (user: string, password: string) => {
      const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
      const headers = [['authorization', authorization]] as const;
      const request = { method: 'GET', host: 'd.example', path: '/mine', headers, clientIp: undefined };
      return checks.send(encodeCheck(checkOf(request, undefined, 'apart')));
    };
    expect(outcome(await basic('bob', 'open sesame'))).toBe('allow');
    expect(outcome(await basic('bob', canary))).toBe('401 password_rejected');
    expect(outcome(await basic('alice', canary))).toBe('401 password_rejected');
    await new Promise((resolve) => setTimeout(resolve, 1200));
    const seen = [
      service.output(),
      (await getText(service.httpPort, '/metrics')).text,
      (await getText(service.adminPort, '/')).text,
      (await getText(service.adminPort, '/api/status')).text,
    ].join('\n');
    expect(service.lines().filter(({ msg }) => msg === 'decision').length).toBeGreaterThanOrEqual(14);
    expect(seen).toContain('Secrets c0, c1');
    expect(seen).not.toContain(canary);
    expect(seen).not.toContain(digest);
    for (const part of hmac.split('.').slice(1)) expect(seen).not.toContain(part);
    for (const part of [...token.split('.'), ...bound.split('.')]) expect(seen).not.toContain(part);
    expect(seen).toContain('not used: line 1 (an MD5 hash');
    expect(seen).toContain('portcullis_redis_up 0');
    expect(seen).toContain('ECONNREFUSED');
    expect(seen).not.toContain(Buffer.from(`bob:${canary}`).toString('base64'));
  });
});

describe('the end', () => {
  test('SIGTERM loses no check: it serves on, says NOT_SERVING, drains and exits with 0', async () => {
    write('a.yaml', plain);
    const service = await serve([...local, '--shutdown-delay', '800ms']);
    const checks = client(service);
    await expect.poll(() => ask(checks, '/x')).toBe('allow');
    const outcomes: Promise<string>[] = [];
    const load = setInterval(() => {
      outcomes.push(ask(checks, '/x').catch((error: unknown) => String(error)));
    }, 2);
    await new Promise((resolve) => setTimeout(resolve, 200));
    service.signal('SIGTERM');
    await expect.poll(() => healthOf(service.grpcAddress)).toBe('NOT_SERVING');
    expect((await getText(service.httpPort, '/readyz')).status).toBe(503);
    // A proxy that checks health turns away now; until it does, every check is answered.
    await new Promise((resolve) => setTimeout(resolve, 300));
    clearInterval(load);
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['allow']));
    expect(outcomes.length).toBeGreaterThan(50);
    checks.close();
    expect(await service.ended).toBe(0);
  });

  test('a second signal ends at once and says so; one that comes with the first is its echo', async () => {
    write('a.yaml', plain);
    const service = await serve([...local, '--shutdown-delay', '1m']);
    service.signal('SIGTERM');
    service.signal('SIGINT');
    await expect.poll(() => service.output(), { timeout: 4000 }).toContain('stopping');
    await new Promise((resolve) => setTimeout(resolve, 600));
    service.signal('SIGTERM');
    expect(await service.ended).toBe(143);
    expect(service.output()).toContain('a second signal: ended at once');
  });
});

describe('a start that fails is one clear error', () => {
  test.each([
    [
      'a folder that is absent',
      ['serve', '--policies', '/nonexistent-folder'],
      1,
      'the folder /nonexistent-folder cannot be read: does it exist?',
    ],
    ['a file for a folder', ['serve', '--policies', 'package.json'], 1, 'package.json is not a folder'],
    ['no folder', ['serve'], 2, 'policies is required'],
    ['an unknown flag', ['serve', '--polices', 'x'], 2, 'Did you mean --policies?'],
    ['a value out of its range', ['serve', '--policies', '.', '--trusted-hops', 'two'], 2, '--trusted-hops'],
  ])('%s', async (_title, args, code, text) => {
    const ended = await runCli([
      ...args,
      ...(args.length > 1
        ? ['--grpc-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0', '--admin-address', '']
        : []),
    ]);
    expect(ended.output).toContain(text);
    expect(ended.code).toBe(code);
    expect(ended.output).not.toMatch(/\n\s+at /);
  });

  test('a port in use', async () => {
    write('a.yaml', plain);
    const other = createServer().listen(0, '127.0.0.1');
    closers.push(() => other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const ended = await runCli([
      'serve',
      '--policies',
      folder,
      '--grpc-address',
      `127.0.0.1:${port}`,
      '--http-address',
      '127.0.0.1:0',
      '--admin-address',
      '',
    ]);
    expect(ended.output).toContain(`127.0.0.1:${port}`);
    expect(ended.output).toContain('in use');
    expect(ended.code).toBe(1);
  });
});

import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/core/ports.ts';
import {
  createHttpEndpoints,
  type HttpEndpoints,
  type HttpEndpointsOptions,
} from '../../../src/runtime/http-endpoints.ts';
import { systemTimers } from '../../../src/runtime/system-ports.ts';
import { createKeptLog, emptyStatus, send } from './runtime-fixtures.ts';

const anyPort = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
const clock: Clock = { now: () => 1_000_000, monotonic: () => 0 };
const open: HttpEndpoints[] = [];
afterEach(async () => {
  for (const endpoints of open.splice(0)) await endpoints.close();
});

async function start(options: Partial<HttpEndpointsOptions> = {}): Promise<HttpEndpoints> {
  const endpoints = await createHttpEndpoints({
    httpAddress: anyPort,
    adminAddress: anyPort,
    notReady: () => undefined,
    metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'portcullis_ready 1\n' }),
    status: () => emptyStatus,
    version: '1.2.3',
    clock,
    timers: systemTimers,
    logger: createKeptLog(),
    ...options,
  });
  open.push(endpoints);
  return endpoints;
}

function adminOf(endpoints: HttpEndpoints): string {
  if (endpoints.adminAddress === undefined) throw new Error('the admin page is on');
  return endpoints.adminAddress;
}

describe('the open address', () => {
  test('/healthz says that the process lives, ready or not', async () => {
    const { httpAddress } = await start({ notReady: () => 'the policies are not loaded yet' });
    expect(await send(httpAddress, '/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  test('/readyz follows readiness and says why not', async () => {
    let reason: string | undefined = 'the policies are not loaded yet';
    const { httpAddress } = await start({ notReady: () => reason });
    expect(await send(httpAddress, '/readyz')).toMatchObject({
      status: 503,
      body: 'not ready: the policies are not loaded yet\n',
    });
    reason = undefined;
    expect(await send(httpAddress, '/readyz')).toMatchObject({ status: 200, body: 'ready\n' });
    reason = 'the service is stopping';
    expect(await send(httpAddress, '/readyz')).toMatchObject({
      status: 503,
      body: 'not ready: the service is stopping\n',
    });
  });

  test('/metrics answers the exposition, whatever the query', async () => {
    const { httpAddress } = await start();
    expect(await send(httpAddress, '/metrics?x=1')).toMatchObject({
      status: 200,
      body: 'portcullis_ready 1\n',
      headers: {
        'content-type': 'text/plain; version=0.0.4',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      },
    });
  });

  test('HEAD answers as GET, without the body', async () => {
    const { httpAddress } = await start();
    expect(await send(httpAddress, '/metrics', { method: 'HEAD' })).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '19' },
    });
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is not allowed', async (method) => {
    const { httpAddress } = await start();
    expect(await send(httpAddress, '/readyz', { method })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
  });

  test.each(['/', '/ready', '/readyz/', '//readyz', '/api/status', '/READYZ', '/__proto__'])(
    '%s is not found',
    async (path) => {
      const { httpAddress } = await start();
      expect((await send(httpAddress, path)).status).toBe(404);
    },
  );

  test('an endpoint that fails is a 500 that tells nothing, and a log line', async () => {
    const logger = createKeptLog();
    const { httpAddress } = await start({ logger, metrics: () => Promise.reject(new TypeError('inner secret')) });
    expect(await send(httpAddress, '/metrics')).toMatchObject({ status: 500, body: 'internal error\n' });
    expect(logger.lines).toMatchObject([{ level: 'error', message: 'an HTTP endpoint failed', error: 'TypeError' }]);
    expect(JSON.stringify(logger.lines)).not.toContain('inner secret');
    expect((await send(httpAddress, '/healthz')).status).toBe(200);
  });

  test('a request with a body is answered and its connection ends', async () => {
    const { httpAddress } = await start();
    const answer = await send(httpAddress, '/healthz', { method: 'POST', body: 'x'.repeat(100_000) });
    expect([answer.status, answer.headers['connection']]).toEqual([405, 'close']);
  });

  test('bytes that are no HTTP end that connection alone', async () => {
    const { httpAddress } = await start();
    const [host, port] = httpAddress.split(':');
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(port), host, () => socket.write('\x16\x03\x01 hello\r\n\r\n'));
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect((await send(httpAddress, '/healthz')).status).toBe(200);
  });
});

describe('the admin address', () => {
  test('is off without an address', async () => {
    expect((await start({ adminAddress: undefined })).adminAddress).toBeUndefined();
  });

  test('/api/status is the status', async () => {
    const status = { ...emptyStatus, ready: true, revision: 3, lastReadAt: 5 };
    const answer = await send(adminOf(await start({ status: () => status })), '/api/status');
    expect(JSON.parse(answer.body)).toEqual(status);
    expect(answer.headers['content-type']).toBe('application/json');
  });

  test.each(['localhost', 'localhost:9003', 'LOCALHOST', 'admin.localhost', '127.0.0.1', '10.1.2.3:80', '[::1]:9003'])(
    'a page opened as %s is answered',
    async (host) => {
      expect((await send(adminOf(await start()), '/api/status', { headers: { host } })).status).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example:9003',
    'localhost,evil.example',
    '127.1',
  ])('a page opened as %j is refused, because that name may be anyone’s', async (host) => {
    const admin = adminOf(await start());
    expect((await send(admin, '/api/status', { headers: { host } })).status).toBe(421);
    expect((await send(admin, '/', { headers: { host } })).status).toBe(421);
  });
});

describe('addresses', () => {
  test('a port in use is one clear Failure', async () => {
    const first = await start();
    const port = Number(first.httpAddress.split(':')[1]);
    await expect(start({ httpAddress: { ...anyPort, port } })).rejects.toMatchObject({
      code: 'address_in_use',
      message: `127.0.0.1:${port} is in use: another process listens there. --http-address chooses another.`,
    });
  });

  test('where the admin port is in use the open one is let go of again', async () => {
    const first = await start();
    const free = await start({ adminAddress: undefined });
    const port = Number(free.httpAddress.split(':')[1]);
    await free.close();
    const taken = Number(first.httpAddress.split(':')[1]);
    const both = { httpAddress: { ...anyPort, port }, adminAddress: { ...anyPort, port: taken } };
    await expect(start(both)).rejects.toMatchObject({
      code: 'address_in_use',
      message: expect.stringContaining('--admin-address chooses another'),
    });
    expect((await start({ httpAddress: { ...anyPort, port } })).httpAddress).toBe(`127.0.0.1:${port}`);
  });

  test('an address that is not of this machine is one clear Failure', async () => {
    await expect(start({ httpAddress: { kind: 'tcp', host: '203.0.113.1', port: 0 } })).rejects.toMatchObject({
      code: 'address_unavailable',
    });
  });
});

test('close ends idle connections at once and lets a request under way finish', async () => {
  const gate = Promise.withResolvers<{ contentType: string; text: string }>();
  const asked = Promise.withResolvers<undefined>();
  const endpoints = await start({
    metrics: () => {
      asked.resolve(undefined);
      return gate.promise;
    },
  });
  const answer = send(endpoints.httpAddress, '/metrics');
  await asked.promise;
  const closed = endpoints.close();
  gate.resolve({ contentType: 'text/plain', text: 'late\n' });
  expect(await answer).toMatchObject({ status: 200, body: 'late\n' });
  await closed;
  await expect(send(endpoints.httpAddress, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

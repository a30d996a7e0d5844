import { Metadata, status } from '@grpc/grpc-js';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { allow, type Decision } from '../../../src/core/decision.ts';
import { checkPath } from '../../../src/envoy/check-service.ts';
import { lastResortDeny } from '../../../src/envoy/last-resort.ts';
import { codecOf } from '../../../src/envoy/protos.ts';
import type { UnaryCall, UnaryMethod } from '../../../src/envoy/transport.ts';
import { startCheckServer } from './check-server.ts';
import { about, authorizer, checkRequest, decodeAnswer, laterDecision, reasonOf, unchanged } from './envoy-fixtures.ts';
import { callCheck, callHealth, callUnary, clientOf, framed, openRaw, rawAnswer, rawCall } from './grpc-clients.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-grpc-'));
afterAll(() => rmSync(folder, { recursive: true }));

const allowed = { status: { code: 0 }, okResponse: { headersToRemove: ['x-envoy-auth-failure-mode-allowed'] } };
const authorization = 'envoy.service.auth.v3.Authorization';
const serving = { status: 1 };
const notServing = { status: 2 };

/** An authorizer whose decisions are there when the test says. */
function slowAuthorizer() {
  const asked = Promise.withResolvers<void>();
  const later = laterDecision();
  const ours = authorizer(() => {
    asked.resolve();
    return later.promise;
  });
  return { ours, asked: asked.promise, finish: () => later.decide(allow(about, unchanged)) };
}

/** What `/test.Test/METHOD` does, on a method of its own beside Check. */
function unary(method: string, handle: UnaryMethod['handle'], fallback?: Uint8Array): UnaryMethod {
  return { kind: 'unary', path: `/test.Test/${method}`, fallback, handle };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

describe('checks and health are answered', () => {
  test('over TCP, IPv4 and IPv6', async () => {
    const server = await startCheckServer();
    expect(server.address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(await callCheck(server.client(), checkRequest())).toEqual(allowed);
    const six = await server.transport.listen('[::1]:0');
    expect(six).toMatch(/^\[::1\]:\d+$/);
    const client = clientOf(six);
    expect(await callCheck(client, checkRequest())).toEqual(allowed);
    client.close();
  });

  test('over a unix socket, which only owner and group may use and which is gone afterwards', async () => {
    const path = join(folder, 'checks.sock');
    const server = await startCheckServer({ address: `unix:${path}` });
    expect(server.address).toBe(`unix:${path}`);
    expect((statSync(path).mode & 0o777).toString(8)).toBe('660');
    expect(await callCheck(server.client(), checkRequest())).toEqual(allowed);
    await server.transport.close();
    expect(existsSync(path)).toBe(false);
  });

  test('as NOT_SERVING before they are told to serve, and SERVING after', async () => {
    const server = await startCheckServer();
    const client = server.client();
    expect([await callHealth(client, ''), await callHealth(client, authorization)]).toEqual([notServing, notServing]);
    server.health.setServing(true);
    expect([await callHealth(client, ''), await callHealth(client, authorization)]).toEqual([serving, serving]);
    expect(await callHealth(client, 'other')).toEqual({ grpc: status.NOT_FOUND });
  });

  test('with a body of 4 MB, and with 1,000 headers', async () => {
    const seen: number[] = [];
    const server = await startCheckServer({
      authorizer: authorizer((raw) => {
        seen.push(raw.headers.length);
        return allow(about, unchanged);
      }),
    });
    const client = server.client();
    expect(await callCheck(client, checkRequest({ body: 'x'.repeat(4 * 1024 * 1024) }))).toEqual(allowed);
    const headers = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`h-${i}`, 'value']));
    expect(await callCheck(client, checkRequest({ headers }))).toEqual(allowed);
    expect(seen).toEqual([0, 1000]);
  });

  test('by a method that gets the bytes and how long the caller waits', async () => {
    const calls: UnaryCall[] = [];
    const keep: UnaryMethod['handle'] = (bytes, call) => {
      calls.push({ remainingMs: call.remainingMs, cancelled: call.cancelled });
      return bytes;
    };
    const client = (await startCheckServer({ moreMethods: [unary('Echo', keep)] })).client();
    const sent = Uint8Array.of(1, 2, 0xff);
    expect(await callUnary(client, '/test.Test/Echo', sent)).toEqual(Buffer.from(sent));
    expect(await callUnary(client, '/test.Test/Echo', sent, { deadline: Date.now() + 5000 })).toEqual(
      Buffer.from(sent),
    );
    expect(calls).toEqual([
      { remainingMs: undefined, cancelled: false },
      { remainingMs: expect.any(Number), cancelled: false },
    ]);
    expect(calls[1]?.remainingMs).toBeGreaterThan(1000);
    expect(calls[1]?.remainingMs).toBeLessThanOrEqual(5000);
  });
});

describe('watching health', () => {
  /** Everything that a watch hears until it ends. */
  function watch(client: ReturnType<typeof clientOf>, service: string) {
    const response = codecOf('grpc.health.v1.HealthCheckResponse');
    const stream = client.makeServerStreamRequest(
      '/grpc.health.v1.Health/Watch',
      (bytes: Buffer) => bytes,
      (bytes) => response.decode(bytes),
      Buffer.from(codecOf('grpc.health.v1.HealthCheckRequest').encode({ service })),
      new Metadata(),
    );
    const heard: object[] = [];
    let wake = (): void => {};
    stream.on('data', (message: object) => {
      heard.push(message);
      wake();
    });
    const ended = new Promise<number>((resolve) => {
      stream.on('error', () => {});
      stream.on('status', ({ code }) => resolve(code));
    });
    const until = async (count: number): Promise<object[]> => {
      while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return heard;
    };
    return { until, ended, cancel: () => stream.cancel() };
  }

  test('tells every change, and a drain ends it', async () => {
    const server = await startCheckServer();
    const watcher = watch(server.client(), authorization);
    expect(await watcher.until(1)).toEqual([notServing]);
    server.health.setServing(true);
    expect(await watcher.until(2)).toEqual([notServing, serving]);
    server.health.setServing(false);
    expect(await watcher.until(3)).toEqual([notServing, serving, notServing]);
    expect(await server.transport.drain(5000)).toBe('drained');
    expect(await watcher.ended).toBe(status.UNAVAILABLE);
  });

  test('of an unknown service tells so and stays open', async () => {
    const server = await startCheckServer();
    const watcher = watch(server.client(), 'other');
    expect(await watcher.until(1)).toEqual([{ status: 3 }]);
    expect(await Promise.race([watcher.ended, sleep(50)])).toBeUndefined();
  });

  test('is refused beyond the bound, and a watcher that leaves makes room', async () => {
    const server = await startCheckServer({ maxWatchers: 1 });
    const client = server.client();
    const first = watch(client, '');
    await first.until(1);
    expect(await watch(client, '').ended).toBe(status.RESOURCE_EXHAUSTED);
    first.cancel();
    await first.ended;
    await sleep(50);
    const second = watch(client, '');
    expect(await second.until(1)).toEqual([notServing]);
  });

  test('leaves nothing behind for watchers that reset at once', async () => {
    const server = await startCheckServer({ maxWatchers: 1 });
    const session = await server.session();
    const body = framed(new Uint8Array());
    for (let i = 0; i < 50; i++) {
      const stream = openRaw(session, { ':path': '/grpc.health.v1.Health/Watch' });
      const answer = rawAnswer(stream);
      stream.end(body);
      if (i % 2 === 0) await sleep(1);
      stream.close(8);
      await answer;
    }
    await sleep(50);
    expect(await watch(server.client(), '').until(1)).toEqual([notServing]);
  });
});

describe('a method that fails', () => {
  const broken = (): never => {
    throw new Error('secret');
  };
  const failing: readonly UnaryMethod['handle'][] = [
    broken,
    () => Promise.reject(new Error('secret')),
    () => undefined as unknown as Uint8Array,
    () => Promise.resolve('text' as unknown as Uint8Array),
  ];

  test('is answered by its fallback, whether it throws, rejects or answers no bytes', async () => {
    const moreMethods = failing.map((handle, i) => unary(`M${i}`, handle, lastResortDeny));
    const server = await startCheckServer({ moreMethods });
    const client = server.client();
    for (const { path } of moreMethods) {
      expect(await callUnary(client, path, new Uint8Array()), path).toEqual(Buffer.from(lastResortDeny));
    }
    expect(server.log.lines).toHaveLength(failing.length);
    expect(JSON.stringify(server.log.lines)).not.toContain('secret');
  });

  test('and has none ends as INTERNAL', async () => {
    const moreMethods = failing.map((handle, i) => unary(`M${i}`, handle));
    const client = (await startCheckServer({ moreMethods })).client();
    for (const { path } of moreMethods) {
      expect(await callUnary(client, path, new Uint8Array()), path).toEqual({ status: status.INTERNAL });
    }
  });

  test('is never Check: an authorizer that throws or rejects is a deny in the message', async () => {
    for (const check of [broken, () => Promise.reject(new Error('secret'))]) {
      const server = await startCheckServer({ authorizer: authorizer(check) });
      const answer = await callCheck(server.client(), checkRequest());
      expect(answer).toMatchObject({ status: { code: 14 }, deniedResponse: { status: { code: 503 } } });
      expect(JSON.stringify([answer, server.log.lines])).not.toContain('secret');
    }
  });

  test('is never Check: bytes that are no CheckRequest are a deny in the message', async () => {
    const client = (await startCheckServer()).client();
    for (const bytes of [new Uint8Array(), Buffer.from('garbage'), checkRequest().subarray(0, 9)]) {
      expect(await callCheck(client, bytes)).toMatchObject({
        status: { code: 7 },
        deniedResponse: { status: { code: 400 } },
      });
    }
  });
});

describe('time', () => {
  test('of the caller that is nearly over is answered by a deny of ours before it is', async () => {
    const { ours } = slowAuthorizer();
    const client = (await startCheckServer({ authorizer: ours })).client();
    const answer = await callCheck(client, checkRequest(), { deadline: Date.now() + 400 });
    if (!('deniedResponse' in answer)) throw new Error(JSON.stringify(answer));
    expect(reasonOf(answer)).toBe('deadline_exceeded');
  });

  test('of our own setting is kept where the caller waits for ever', async () => {
    const { ours } = slowAuthorizer();
    const client = (await startCheckServer({ authorizer: ours, checkTimeoutMs: 30 })).client();
    expect(await callCheck(client, checkRequest())).toMatchObject({ status: { code: 14 } });
  });

  test('after a caller has gone away is nobody else loss', async () => {
    const slow = slowAuthorizer();
    const server = await startCheckServer({ authorizer: slow.ours });
    const session = await server.session();
    const stream = openRaw(session);
    const answer = rawAnswer(stream);
    stream.end(framed(checkRequest()));
    await slow.asked;
    stream.close(8);
    expect(await answer).toMatchObject({ http: undefined, reset: 8 });
    slow.finish();
    expect((await rawCall(session, framed(checkRequest()))).grpcStatus).toBe(0);
    expect(await server.transport.drain(2000)).toBe('drained');
  });
});

describe('a drain', () => {
  test('answers what was asked before it, and accepts nothing after', async () => {
    const slow = slowAuthorizer();
    const server = await startCheckServer({ authorizer: slow.ours });
    const clients = [server.client(), server.client(), server.client()];
    const answers = clients.flatMap((client) => [callCheck(client, checkRequest()), callCheck(client, checkRequest())]);
    await slow.asked;
    await sleep(50);
    const drained = server.transport.drain(5000);
    await sleep(20);
    slow.finish();
    expect(await Promise.all(answers)).toEqual(answers.map(() => allowed));
    expect(await drained).toBe('drained');
    const late = await callCheck(server.client(), checkRequest(), { deadline: Date.now() + 300 });
    expect(late).toEqual({ status: expect.any(Number) });
  });

  test('under steady load loses no call that was begun', async () => {
    const decide = (): Promise<Decision> => sleep(2).then(() => allow(about, unchanged));
    const server = await startCheckServer({ authorizer: authorizer(decide) });
    const session = await server.session();
    let goaway = false;
    session.on('goaway', () => (goaway = true));
    const answers: ReturnType<typeof rawCall>[] = [];
    const body = framed(checkRequest());
    const drained = sleep(60).then(() => server.transport.drain(5000));
    while (!goaway && !session.closed && !session.destroyed) {
      answers.push(rawCall(session, body));
      await sleep(1);
    }
    expect(await drained).toBe('drained');
    const ended = await Promise.all(answers);
    // REFUSED_STREAM (7) says that the call was never begun: a client may ask elsewhere.
    const lost = ended.filter(({ grpcStatus, reset }) => grpcStatus !== 0 && reset !== 7);
    expect(lost).toEqual([]);
    expect(ended.length).toBeGreaterThan(10);
  });

  test('cuts off what is not over in time', async () => {
    const { ours, asked } = slowAuthorizer();
    const server = await startCheckServer({ authorizer: ours });
    const answer = callCheck(server.client(), checkRequest());
    await asked;
    expect(await server.transport.drain(50)).toBe('forced');
    expect(await answer).toEqual({ status: expect.any(Number) });
  });

  test('and a close after it, and twice, and of a transport that never listened, are no error', async () => {
    const server = await startCheckServer();
    expect(await callCheck(server.client(), checkRequest())).toEqual(allowed);
    expect(await server.transport.drain(1000)).toBe('drained');
    await server.transport.close();
    await server.transport.close();
  });
});

describe('an address', () => {
  test.each(['', '9001', ':9001', 'localhost', '127.0.0.1:99999', '::1:9001', 'unix:', 'http://x:1', '[x]:1'])(
    'that is none is refused: %j',
    async (address) => {
      await expect(startCheckServer({ address })).rejects.toMatchObject({ name: 'Failure', code: 'address_invalid' });
    },
  );

  test('in use is refused for the second server, and the first goes on', async () => {
    const first = await startCheckServer();
    await expect(startCheckServer({ address: first.address })).rejects.toMatchObject({
      name: 'Failure',
      code: 'address_in_use',
      message: `${first.address} is in use: another process listens there.`,
    });
    expect(await callCheck(first.client(), checkRequest())).toEqual(allowed);
  });

  test('of a unix socket in use is refused, and the first goes on', async () => {
    const address = `unix:${join(folder, 'used.sock')}`;
    const first = await startCheckServer({ address });
    await expect(startCheckServer({ address })).rejects.toMatchObject({ code: 'address_in_use' });
    expect(await callCheck(first.client(), checkRequest())).toEqual(allowed);
  });

  test('of a unix socket that a killed server left behind is taken over', async () => {
    const path = join(folder, 'stale.sock');
    await leaveStaleSocket(path);
    const server = await startCheckServer({ address: `unix:${path}`, unixSocketMode: 0o600 });
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
    expect(await callCheck(server.client(), checkRequest())).toEqual(allowed);
  });

  test('of a file that is no socket is refused, and the file stays', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'precious');
    await expect(startCheckServer({ address: `unix:${path}` })).rejects.toMatchObject({ code: 'address_in_use' });
    expect(statSync(path).size).toBe(8);
  });

  test('that the machine does not have is refused', async () => {
    const rejected = { code: 'address_unavailable' };
    await expect(startCheckServer({ address: '192.0.2.1:0' })).rejects.toMatchObject(rejected);
    await expect(startCheckServer({ address: `unix:${folder}/none/x.sock` })).rejects.toMatchObject(rejected);
  });

  /** What a server leaves that ends without closing: a socket file and nobody behind it. */
  async function leaveStaleSocket(path: string): Promise<void> {
    const hidden = `${path}.hidden`;
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(hidden, resolve));
    const { linkSync, unlinkSync } = await import('node:fs');
    linkSync(hidden, path);
    unlinkSync(hidden);
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    expect(existsSync(path)).toBe(true);
  }
});

/** docs/grpc.md lists these. Each is an error, or nothing, before a method of ours is asked. */
describe('what grpc-js answers by itself', () => {
  const message = framed(checkRequest());

  /** A server that counts how often it is asked. */
  async function counting(options: { maxReceiveBytes?: number } = {}) {
    let asked = 0;
    const ours = authorizer(() => {
      asked++;
      return allow(about, unchanged);
    });
    const server = await startCheckServer({ ...options, authorizer: ours });
    return { server, session: await server.session(), asked: () => asked };
  }

  test('a message over the limit: RESOURCE_EXHAUSTED', async () => {
    const { server, session, asked } = await counting({ maxReceiveBytes: 1000 });
    const tooLong = checkRequest({ body: 'x'.repeat(1000) });
    expect(await callCheck(server.client(), tooLong)).toEqual({ status: status.RESOURCE_EXHAUSTED });
    expect(asked()).toBe(0);
    expect((await rawCall(session, message)).grpcStatus).toBe(0);
  });

  test('the limit is 16 MiB unless said otherwise', async () => {
    const { server, asked } = await counting();
    const client = server.client();
    expect(await callCheck(client, checkRequest({ body: 'x'.repeat(16_000_000) }))).toEqual(allowed);
    expect(await callCheck(client, checkRequest({ body: 'x'.repeat(17_000_000) }))).toEqual({
      status: status.RESOURCE_EXHAUSTED,
    });
    expect(asked()).toBe(1);
  });

  test('a deadline that passes while the process is busy: DEADLINE_EXCEEDED', async () => {
    const { session } = await counting();
    const stream = openRaw(session, { 'grpc-timeout': '20m' });
    const answer = rawAnswer(stream);
    await sleep(60);
    stream.end(message);
    expect(await answer).toMatchObject({ http: 200, grpcStatus: status.DEADLINE_EXCEEDED });
  });

  test('a grpc-timeout that is none: INTERNAL', async () => {
    const { session, asked } = await counting();
    expect(await rawCall(session, message, { 'grpc-timeout': 'soon' })).toMatchObject({ grpcStatus: status.INTERNAL });
    expect(asked()).toBe(0);
  });

  test('a frame that is cut off: UNIMPLEMENTED', async () => {
    const { session, asked } = await counting();
    expect(await rawCall(session, message.subarray(0, -1))).toMatchObject({ grpcStatus: status.UNIMPLEMENTED });
    expect(asked()).toBe(0);
  });

  test('no message, or two: UNIMPLEMENTED', async () => {
    const { session, asked } = await counting();
    expect(await rawCall(session, Buffer.alloc(0))).toMatchObject({ grpcStatus: status.UNIMPLEMENTED });
    expect(await rawCall(session, Buffer.concat([message, message]))).toMatchObject({
      grpcStatus: status.UNIMPLEMENTED,
    });
    expect(asked()).toBe(0);
  });

  test('an unknown method or service: UNIMPLEMENTED', async () => {
    const { session } = await counting();
    for (const path of [
      '/envoy.service.auth.v3.Authorization/Other',
      '/envoy.service.auth.v2.Authorization/Check',
      '/',
    ]) {
      expect(await rawCall(session, message, { ':path': path })).toMatchObject({ grpcStatus: status.UNIMPLEMENTED });
    }
  });

  test('a content type that is not gRPC: HTTP 415', async () => {
    const { session } = await counting();
    expect(await rawCall(session, message, { 'content-type': 'application/json' })).toMatchObject({ http: 415 });
  });

  test('a compressed message is read, and the answer is not compressed', async () => {
    const { session, asked } = await counting();
    const zipped = framed(gzipSync(checkRequest()), 1);
    const answer = await rawCall(session, zipped, { 'grpc-encoding': 'gzip' });
    expect(answer.grpcStatus).toBe(0);
    expect(decodeAnswer(answer.message)).toEqual(allowed);
    expect(asked()).toBe(1);
  });

  test('a message compressed in a way it does not know: UNIMPLEMENTED', async () => {
    const { session, asked } = await counting();
    expect(await rawCall(session, framed(checkRequest(), 1), { 'grpc-encoding': 'snappy' })).toMatchObject({
      grpcStatus: status.UNIMPLEMENTED,
    });
    expect(asked()).toBe(0);
  });

  test('a message that says it is compressed and is not: INTERNAL', async () => {
    const { session, asked } = await counting();
    expect(await rawCall(session, framed(checkRequest(), 1), { 'grpc-encoding': 'gzip' })).toMatchObject({
      grpcStatus: status.INTERNAL,
    });
    expect(asked()).toBe(0);
  });

  test('a message that unpacks beyond the limit: RESOURCE_EXHAUSTED', async () => {
    const { session, asked } = await counting({ maxReceiveBytes: 100_000 });
    const bomb = framed(gzipSync(checkRequest({ body: 'x'.repeat(10_000_000) })), 1);
    expect(await rawCall(session, bomb, { 'grpc-encoding': 'gzip' })).toMatchObject({
      grpcStatus: status.RESOURCE_EXHAUSTED,
    });
    expect(asked()).toBe(0);
  });

  test.each(['outbound|9000||authz', 'policy/default', 'a b'])(
    'an :authority of %j: the stream is reset with PROTOCOL_ERROR',
    async (authority) => {
      const { session, asked } = await counting();
      expect(await rawCall(session, message, { ':authority': authority })).toMatchObject({ http: undefined, reset: 1 });
      expect(asked()).toBe(0);
      expect((await rawCall(session, message, { ':authority': 'outbound_.9000_._.authz:9000' })).grpcStatus).toBe(0);
    },
  );

  test('what is not HTTP/2 at all: the connection is closed, and the server goes on', async () => {
    const { server, asked } = await counting();
    const [host = '', port = ''] = server.address.split(':');
    const closed = new Promise<void>((resolve) => {
      const socket = connect(Number(port), host, () => socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.resume();
    });
    await closed;
    expect(asked()).toBe(0);
    expect(await callCheck(server.client(), checkRequest())).toEqual(allowed);
  });

  test('and what it does not: the whole CheckRequest is ours to judge', async () => {
    const { session } = await counting();
    const answer = await rawCall(session, framed(Buffer.from('garbage')));
    expect(answer.grpcStatus).toBe(0);
    expect(decodeAnswer(answer.message).status?.code).toBe(7);
  });
});

test('Check is at the path that Envoy calls', () => {
  expect(checkPath).toBe('/envoy.service.auth.v3.Authorization/Check');
});

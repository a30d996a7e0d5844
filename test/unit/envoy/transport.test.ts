import { status } from '@grpc/grpc-js';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { allow } from '../../../src/core/decision.ts';
import { checkPath } from '../../../src/envoy/check-service.ts';
import { lastResortDeny } from '../../../src/envoy/last-resort.ts';
import type { UnaryCall, UnaryMethod } from '../../../src/grpc/transport.ts';
import { startCheckServer, transportNames, type CheckServer, type CheckServerOptions } from './check-server.ts';
import { requestsAround, startCounting } from './counting-server.ts';
import {
  about,
  allowed,
  authorizer,
  checkRequest,
  decodeAnswer,
  reasonOf,
  sleep,
  slowAuthorizer,
  unchanged,
} from './envoy-fixtures.ts';
import { callCheck, callHealth, callUnary, clientOf, framed, openRaw, rawAnswer, rawCall } from './grpc-clients.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-grpc-'));
afterAll(() => rmSync(folder, { recursive: true }));

const authorization = 'envoy.service.auth.v3.Authorization';
const serving = { status: 1 };
const notServing = { status: 2 };

/** What `/test.Test/METHOD` does, on a method of its own beside Check. */
function unary(method: string, handle: UnaryMethod['handle'], fallback?: Uint8Array): UnaryMethod {
  return { kind: 'unary', path: `/test.Test/${method}`, fallback, handle };
}

describe.each(transportNames)('on %s', (kind) => {
  const startServer = (options: CheckServerOptions = {}): Promise<CheckServer> =>
    startCheckServer({ kind, ...options });

  describe('checks and health are answered', () => {
    test('over TCP, IPv4 and IPv6', async () => {
      const server = await startServer();
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
      const server = await startServer({ address: `unix:${path}` });
      expect(server.address).toBe(`unix:${path}`);
      expect((statSync(path).mode & 0o777).toString(8)).toBe('660');
      expect(await callCheck(server.client(), checkRequest())).toEqual(allowed);
      await server.transport.close();
      expect(existsSync(path)).toBe(false);
    });

    test('as NOT_SERVING before they are told to serve, and SERVING after', async () => {
      const server = await startServer();
      const client = server.client();
      expect([await callHealth(client, ''), await callHealth(client, authorization)]).toEqual([notServing, notServing]);
      server.health.setServing(true);
      expect([await callHealth(client, ''), await callHealth(client, authorization)]).toEqual([serving, serving]);
      expect(await callHealth(client, 'other')).toEqual({ grpc: status.NOT_FOUND });
    });

    test('with a body of 4 MB, and with 1,000 headers', async () => {
      const seen: number[] = [];
      const server = await startServer({
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
      const calls: Pick<UnaryCall, 'remainingMs' | 'cancelled'>[] = [];
      const keep: UnaryMethod['handle'] = (bytes, call) => {
        calls.push({ remainingMs: call.remainingMs, cancelled: call.cancelled });
        return bytes;
      };
      const client = (await startServer({ moreMethods: [unary('Echo', keep)] })).client();
      const sent = Uint8Array.of(1, 2, 0xff);
      expect(await callUnary(client, '/test.Test/Echo', sent)).toEqual(Buffer.from(sent));
      expect(await callUnary(client, '/test.Test/Echo', sent, { deadline: Date.now() + 60_000 })).toEqual(
        Buffer.from(sent),
      );
      expect(calls).toEqual([
        { remainingMs: undefined, cancelled: false },
        { remainingMs: expect.any(Number), cancelled: false },
      ]);
      expect(calls[1]?.remainingMs).toBeGreaterThan(1000);
      expect(calls[1]?.remainingMs).toBeLessThanOrEqual(60_000);
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
      const server = await startServer({ moreMethods });
      const client = server.client();
      for (const { path } of moreMethods) {
        expect(await callUnary(client, path, new Uint8Array()), path).toEqual(Buffer.from(lastResortDeny));
      }
      expect(server.log.lines).toHaveLength(failing.length);
      expect(JSON.stringify(server.log.lines)).not.toContain('secret');
    });

    test('and has none ends as INTERNAL', async () => {
      const moreMethods = failing.map((handle, i) => unary(`M${i}`, handle));
      const client = (await startServer({ moreMethods })).client();
      for (const { path } of moreMethods) {
        expect(await callUnary(client, path, new Uint8Array()), path).toEqual({ status: status.INTERNAL });
      }
    });

    test('is never Check: an authorizer that throws or rejects is a deny in the message', async () => {
      for (const check of [broken, () => Promise.reject(new Error('secret'))]) {
        const server = await startServer({ authorizer: authorizer(check) });
        const answer = await callCheck(server.client(), checkRequest());
        expect(answer).toMatchObject({ status: { code: 14 }, deniedResponse: { status: { code: 503 } } });
        expect(JSON.stringify([answer, server.log.lines])).not.toContain('secret');
      }
    });

    test('is never Check: bytes that are no CheckRequest are a deny in the message', async () => {
      const client = (await startServer()).client();
      for (const bytes of [new Uint8Array(), Buffer.from('garbage'), checkRequest().subarray(0, 9)]) {
        expect(await callCheck(client, bytes)).toMatchObject({
          status: { code: 7 },
          deniedResponse: { status: { code: 400 } },
        });
      }
    });
  });

  describe('time', { timeout: 60_000 }, () => {
    test('of the caller that is nearly over is answered by a deny of ours before it is', async () => {
      const { ours } = slowAuthorizer();
      const client = (await startServer({ authorizer: ours, checkTimeoutMs: 60_000 })).client();
      // A machine that is busy may need more than our margin; whoever waits longer shows the same.
      const answers: unknown[] = [];
      for (const waitMs of [400, 1600, 6400]) {
        const answer = await callCheck(client, checkRequest(), { deadline: Date.now() + waitMs });
        answers.push('deniedResponse' in answer ? reasonOf(answer) : answer);
        if ('deniedResponse' in answer) break;
      }
      expect(answers.at(-1)).toBe('deadline_exceeded');
    });

    test('of our own setting is kept where the caller waits for ever', async () => {
      const { ours } = slowAuthorizer();
      const client = (await startServer({ authorizer: ours, checkTimeoutMs: 30 })).client();
      expect(await callCheck(client, checkRequest())).toMatchObject({ status: { code: 14 } });
    });

    test('after a caller has gone away is nobody else loss', async () => {
      const slow = slowAuthorizer();
      const server = await startServer({ authorizer: slow.ours });
      const session = await server.session();
      const stream = openRaw(session);
      const answer = rawAnswer(stream);
      stream.end(framed(checkRequest()));
      await slow.asked;
      stream.close(8);
      expect(await answer).toMatchObject({ http: undefined, reset: 8 });
      slow.finish();
      expect((await rawCall(session, framed(checkRequest()))).grpcStatus).toBe(0);
      expect(await server.transport.drain(30_000)).toBe('drained');
    });
  });

  /** docs/grpc.md lists these. Each is an error, or nothing, before a method of ours is asked. */
  describe('what a transport answers by itself', () => {
    const message = framed(checkRequest());
    const counting = (options: CheckServerOptions = {}): ReturnType<typeof startCounting> =>
      startCounting({ kind, ...options });

    test('a message over the limit: RESOURCE_EXHAUSTED', async () => {
      const { server, session, asked } = await counting({ maxReceiveBytes: 1000 });
      const tooLong = checkRequest({ body: 'x'.repeat(1000) });
      expect(await callCheck(server.client(), tooLong)).toEqual({ status: status.RESOURCE_EXHAUSTED });
      expect(asked()).toBe(0);
      expect((await rawCall(session, message)).grpcStatus).toBe(0);
    });

    test('the limit is the size of the message, to the byte', async () => {
      const { server, asked } = await counting({ maxReceiveBytes: 65_536 });
      const client = server.client();
      const [most, tooMuch] = requestsAround(65_536);
      expect(await callCheck(client, most)).toEqual(allowed);
      expect(await callCheck(client, tooMuch)).toEqual({ status: status.RESOURCE_EXHAUSTED });
      expect(asked()).toBe(1);
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
      expect(await rawCall(session, message, { 'grpc-timeout': 'soon' })).toMatchObject({
        grpcStatus: status.INTERNAL,
      });
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

    test('a message compressed in a way it does not know: UNIMPLEMENTED', async () => {
      const { session, asked } = await counting();
      expect(await rawCall(session, framed(checkRequest(), 1), { 'grpc-encoding': 'snappy' })).toMatchObject({
        grpcStatus: status.UNIMPLEMENTED,
      });
      expect(asked()).toBe(0);
    });

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
});

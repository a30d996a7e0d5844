import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createIntrospectionProvider } from '../../../src/phases/identity/introspection/introspection-provider.ts';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import { createHttpClient } from '../../../src/runtime/http-client.ts';
import { systemClock, systemTimers } from '../../../src/runtime/system-ports.ts';
import { createWorld, credentialOf, verdictOf } from './identity-fixtures.ts';
import { clientMaterial, clientSecret, goodAnswer, introspectionSpec } from './introspection-fixtures.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

const good = (): string => JSON.stringify(goodAnswer({ iat: undefined, exp: Math.floor(Date.now() / 1000) + 600 }));

async function providerOf(
  answer: RequestListener,
  timeout = 2,
): Promise<{ readonly provider: MessageProvider; readonly server: Server }> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`;
  const http = createHttpClient({
    allowPrivateAddresses: true,
    allowedAddresses: [],
    userAgent: 'portcullis/test',
    timers: systemTimers,
  });
  const ports = { ...createWorld([]).ports, http, clock: systemClock, timers: systemTimers };
  return {
    server,
    provider: createIntrospectionProvider(introspectionSpec({ endpoint, timeout }), clientMaterial(), ports),
  };
}

const judge = async (provider: MessageProvider, token = 'canary-token'): Promise<string> =>
  verdictOf(await provider.verify(credentialOf(token)));

test('over real HTTP the good answer is one, and a form with our credentials asked for it', async () => {
  let seen = '';
  const { provider } = await providerOf((request, response) => {
    request.on('data', (chunk: Buffer) => {
      seen = `${request.method} ${request.headers['content-type']} ${request.headers.authorization?.slice(0, 6)} ${chunk.toString()}`;
      response.setHeader('content-type', 'application/json').end(good());
    });
  });
  expect(await judge(provider)).toBe('allow');
  expect(seen).toBe('POST application/x-www-form-urlencoded Basic  token=canary-token&token_type_hint=access_token');
});

const json = { 'content-type': 'application/json' };
const asked: string[] = [];

test.each<[string, RequestListener, RegExp]>([
  ['slow', () => undefined, /no complete answer within/],
  [
    'a drip',
    (_request, response) => {
      response.writeHead(200, json);
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    },
    /no complete answer within/,
  ],
  [
    '10 MB',
    (_request, response) => response.writeHead(200, json).end(`{"active":true,"x":"${'a'.repeat(10_000_000)}"}`),
    /larger than 65536 bytes/,
  ],
  [
    'HTML with 200',
    (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    /not application\/json/,
  ],
  ['JSON without a content type', (_request, response) => response.writeHead(200).end(good()), /not application\/json/],
  [
    'a redirect to a metadata address',
    (request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data' }).end();
    },
    /redirected \(307\), which is not followed/,
  ],
  [
    '401 to our client',
    (_request, response) => response.writeHead(401, json).end('{"error":"invalid_client"}'),
    /refuses our client \(status 401\)/,
  ],
  [
    'half an answer',
    (_request, response) => {
      response.writeHead(200, { ...json, 'content-length': 1_000 }).write('{"active":true');
      setTimeout(() => response.destroy(), 20);
    },
    /ended before it was complete|aborted|hang up/,
  ],
  [
    'a compressed answer',
    (_request, response) => response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end('x'),
    /compressed/,
  ],
  [
    'active: "true"',
    (_request, response) => response.writeHead(200, json).end(good().replace('"active":true', '"active":"true"')),
    /neither true nor false/,
  ],
])('%s is a 503, remembered for nobody, and told without a secret', async (_title, answer, why) => {
  let listener = answer;
  const { provider } = await providerOf((request, response) => listener(request, response), 0.3);
  const started = performance.now();
  expect(await judge(provider)).toBe('introspection_unavailable');
  expect(performance.now() - started).toBeLessThan(2_000);
  const { lastError = '', isAnswering } = provider.status();
  expect([lastError, isAnswering]).toEqual([expect.stringMatching(why), false]);
  expect(lastError).not.toMatch(/canary/);
  expect(lastError).not.toContain(clientSecret);
  listener = (_request, response) => response.writeHead(200, json).end(good());
  expect(await judge(provider)).toBe('allow');
});

test('down is a 503, and up again an answer', async () => {
  const { provider, server } = await providerOf((_request, response) => response.writeHead(200, json).end(good()));
  expect(await judge(provider, 'a')).toBe('allow');
  const { port } = server.address() as AddressInfo;
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  expect(await judge(provider, 'b')).toBe('introspection_unavailable');
  // What is remembered is no stale answer: it is within its ttl.
  expect(await judge(provider, 'a')).toBe('allow');
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  expect(await judge(provider, 'b')).toBe('allow');
});

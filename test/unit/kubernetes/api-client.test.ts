import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { createApiClient } from '../../../src/kubernetes/api-client.ts';
import type { ApiFailure } from '../../../src/kubernetes/api-failure.ts';
import type { KubernetesApi } from '../../../src/kubernetes/kubernetes-api.ts';
import { systemTimers } from '../../../src/runtime/system-ports.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(answer: Answer, limits: { timeoutMs?: number; maxBytes?: number } = {}): Promise<KubernetesApi> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const dispatcher = new Agent();
  closers.push(
    () => server.closeAllConnections(),
    () => void server.close(),
    () => dispatcher.destroy(),
  );
  return createApiClient({
    connection: {
      server: `http://127.0.0.1:${port}/prefix`,
      namespace: undefined,
      prepare: async () => ({ headers: { authorization: 'Bearer canary' }, dispatcher }),
      renew: () => undefined,
      close: async () => undefined,
    },
    timers: systemTimers,
    userAgent: 'portcullis/test',
    ...limits,
  });
}

function json(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

const failureOf = (promise: Promise<unknown>): Promise<ApiFailure> =>
  promise.then(
    () => expect.unreachable(),
    (thrown: ApiFailure) => thrown,
  );
const get = { method: 'GET', path: '/api/v1/things' } as const;

describe('the client of the API server', () => {
  it('sends credentials, body and content type, and gives the answer', async () => {
    const api = await serve((request, response) => {
      const { method, url, headers } = request;
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () =>
        json(response, 200, {
          method,
          url,
          authorization: headers.authorization,
          type: headers['content-type'],
          agent: headers['user-agent'],
          body,
        }),
      );
    });
    await expect(
      api.request({
        method: 'PATCH',
        path: '/x',
        query: { fieldManager: 'a b' },
        body: { a: 1 },
        contentType: 'application/merge-patch+json',
      }),
    ).resolves.toEqual({
      method: 'PATCH',
      url: '/prefix/x?fieldManager=a+b',
      authorization: 'Bearer canary',
      type: 'application/merge-patch+json',
      agent: 'portcullis/test',
      body: '{"a":1}',
    });
  });

  it.each([
    [401, 'api_unauthorized'],
    [403, 'api_forbidden'],
    [404, 'api_not_found'],
    [409, 'api_conflict'],
    [410, 'api_gone'],
    [422, 'api_refused'],
    [429, 'api_throttled'],
    [301, 'api_refused'],
    [500, 'api_unavailable'],
    [503, 'api_unavailable'],
  ])('fails for %i with %s and the words of the server', async (status, code) => {
    const api = await serve((_request, response) =>
      json(response, status, { kind: 'Status', message: 'the words of the server' }, { 'retry-after': '3' }),
    );
    const failure = await failureOf(api.request(get));
    expect({ code: failure.code, message: failure.message, retryAfterMs: failure.retryAfterMs }).toEqual({
      code,
      message: `GET /api/v1/things: ${status} the words of the server`,
      retryAfterMs: 3000,
    });
  });

  it('never says its credentials', async () => {
    const api = await serve((_request, response) => response.destroy());
    const failure = await failureOf(api.request(get));
    expect(failure.code).toBe('api_unreachable');
    expect(`${failure.message} ${String(failure.cause)}`).not.toContain('canary');
  });

  it.each([
    ['that is not JSON', '<html>', 'api_malformed'],
    ['that is no object', '[]', 'api_malformed'],
    ['that is too large', `{"a":"${'x'.repeat(2000)}"}`, 'api_too_large'],
  ])('fails for an answer %s', async (_title, body, code) => {
    const api = await serve((_request, response) => void response.writeHead(200).end(body), { maxBytes: 1000 });
    expect((await failureOf(api.request(get))).code).toBe(code);
  });

  it('does not wait for ever, neither for the head of an answer nor for its end', async () => {
    const silent = await serve(() => undefined, { timeoutMs: 50 });
    expect((await failureOf(silent.request(get))).code).toBe('api_timeout');
    const halting = await serve((_request, response) => void response.writeHead(200).write('{'), { timeoutMs: 50 });
    expect((await failureOf(halting.request(get))).code).toBe('api_timeout');
    const unopened = await serve(() => undefined, { timeoutMs: 50 });
    expect(
      (await failureOf(unopened.watch({ path: '/w', query: {}, signal: new AbortController().signal }))).code,
    ).toBe('api_timeout');
  });

  it('watches beyond the time that an exchange may take, until the server ends the watch', async () => {
    const line = (name: string): string => `{"type":"ADDED","object":{"name":"${name}"}}\n`;
    const api = await serve(
      (_request, response) => {
        response.writeHead(200).write(line('a'));
        setTimeout(() => response.end(line('b')), 120);
      },
      { timeoutMs: 50 },
    );
    const events = await api.watch({ path: '/w', query: { watch: 'true' }, signal: new AbortController().signal });
    const names: unknown[] = [];
    for await (const batch of events) names.push(...batch.map(({ object }) => object['name']));
    expect(names).toEqual(['a', 'b']);
  });

  it('says that a watch was cut, and ends one quietly that is given up', async () => {
    const cut = await serve((_request, response) => {
      response.writeHead(200).write('{"type":"ADDED","object":{}}\n');
      setTimeout(() => response.destroy(), 20);
    });
    const read = async (events: AsyncIterable<unknown>): Promise<number> => {
      let count = 0;
      for await (const _batch of events) count++;
      return count;
    };
    const failure = await failureOf(
      read(await cut.watch({ path: '/w', query: {}, signal: new AbortController().signal })),
    );
    expect(failure.code).toBe('api_unreachable');
    const open = await serve(
      (_request, response) => void response.writeHead(200).write('{"type":"ADDED","object":{}}\n'),
    );
    const ended = new AbortController();
    const events = await open.watch({ path: '/w', query: {}, signal: ended.signal });
    setTimeout(() => ended.abort(), 20);
    await expect(read(events)).resolves.toBe(1);
    await expect(failureOf(open.watch({ path: '/w', query: {}, signal: ended.signal }))).resolves.toMatchObject({
      code: 'api_unreachable',
    });
  });

  it('fails to open a watch that the server refuses', async () => {
    const api = await serve((_request, response) => json(response, 403, { message: 'forbidden' }));
    expect((await failureOf(api.watch({ path: '/w', query: {}, signal: new AbortController().signal }))).code).toBe(
      'api_forbidden',
    );
  });
});

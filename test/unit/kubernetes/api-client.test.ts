import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import { afterEach, describe, expect, it, vi } from 'vitest';
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

  it('reads a list piece by piece, lets others run in between, and parses nothing of an object that is too large', async () => {
    const metadata = { name: 'x', namespace: 'shop', uid: 'u', resourceVersion: '1' };
    const small = { metadata, spec: { hosts: ['a.example'], text: 'x'.repeat(50_000) } };
    const large = { metadata, spec: { hosts: ['b.example'], junk: Array.from({ length: 200_000 }, () => ({})) } };
    const list = { metadata: { resourceVersion: '9' }, items: [...Array.from({ length: 20 }, () => small), large] };
    const accepted: unknown[] = [];
    const api = await serve((request, response) => {
      accepted.push(request.headers.accept);
      json(response, 200, list);
    });
    const parse = vi.spyOn(JSON, 'parse');
    let turns = 0;
    const turn = setInterval(() => (turns += 1), 0);
    const read = await api.request(get);
    clearInterval(turn);
    const longest = Math.max(...parse.mock.calls.map(([text]) => text.length));
    parse.mockRestore();
    expect(read).toEqual({
      ...list,
      items: [...list.items.slice(0, 20), { metadata, spec: { hosts: ['b.example'] } }],
    });
    expect(longest).toBeLessThan(51_000);
    expect(turns).toBeGreaterThan(5);
    await api.request({ ...get, isMetadataOnly: true });
    expect(accepted).toEqual(['application/json', 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1']);
  });

  it('reads of an answer that is one large object what says whose it is', async () => {
    const metadata = { name: 'x', uid: 'u', resourceVersion: '8' };
    const api = await serve((_request, response) =>
      json(response, 200, { apiVersion: 'v1', kind: 'X', metadata, spec: { junk: 'x'.repeat(300_000) } }),
    );
    expect(await api.request(get)).toEqual({ apiVersion: 'v1', kind: 'X', metadata, spec: {} });
  });

  it('takes answers of 4 MiB at most', async () => {
    const api = await serve((_request, response) => json(response, 200, { items: ['x'.repeat(4 * 1024 * 1024)] }));
    expect((await failureOf(api.request(get))).code).toBe('api_too_large');
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

import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { HttpLimits, HttpRequest, Timers } from '../../../src/core/ports.ts';
import { createHttpClient, type HttpClientOptions, type Resolve } from '../../../src/runtime/http-client.ts';
import { testCertificate, testCertificateKey } from './test-certificate.ts';

const timers: Timers = {
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
const limits: HttpLimits = { timeoutMs: 2_000, maxBytes: 1_000_000, ca: undefined };
const open: HttpClientOptions = {
  allowPrivateAddresses: true,
  allowedAddresses: [],
  userAgent: 'portcullis/test',
  timers,
};

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
}

async function serve(handler: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createHttpServer(handler))}`;
}

/** The text of the answer, or the code of the Failure. */
async function get(url: string, client = createHttpClient(open), options = limits): Promise<string> {
  try {
    return Buffer.from(await client.get(url, options)).toString();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.code;
  }
}

describe('an answer', () => {
  test('of 200 within the limits is given as bytes; the request says who asks and asks for no encoding', async () => {
    let seen: unknown;
    const url = await serve((request, response) => {
      seen = { url: request.url, method: request.method, headers: request.headers };
      response.end('{"keys":[]}');
    });
    expect(await get(`${url}/keys?a=1`)).toBe('{"keys":[]}');
    expect(seen).toEqual({
      url: '/keys?a=1',
      method: 'GET',
      headers: {
        host: url.slice('http://'.length),
        accept: 'application/json',
        'accept-encoding': 'identity',
        connection: 'close',
        'user-agent': 'portcullis/test',
      },
    });
  });

  test.each([
    [301, 'http_redirect'],
    [302, 'http_redirect'],
    [304, 'http_redirect'],
    [308, 'http_redirect'],
    [201, 'http_status'],
    [204, 'http_status'],
    [206, 'http_status'],
    [404, 'http_status'],
    [500, 'http_status'],
  ])('of status %d is %s, and no redirect is followed', async (status, code) => {
    const asked: unknown[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url);
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    expect(await get(`${url}/keys`)).toBe(code);
    expect(asked).toEqual(['/keys']);
  });

  test("of HTML is bytes like others: judging them is not the client's", async () => {
    const url = await serve((_request, response) => response.setHeader('content-type', 'text/html').end('<html>'));
    expect(await get(url)).toBe('<html>');
  });

  test('that is compressed is refused, a bomb before it is undone', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    const url = await serve((_request, response) => response.setHeader('content-encoding', 'gzip').end(bomb));
    expect(await get(url)).toBe('http_encoded');
  });

  test('of 10 MB is refused by its announced length, and where it announces none as soon as it is too much', async () => {
    let sent = 0;
    const announced = await serve((_request, response) => response.setHeader('content-length', 10_000_000).write('x'));
    expect(await get(announced)).toBe('http_too_large');
    const endless = await serve((_request, response) => {
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
      };
      response.on('drain', more);
      more();
    });
    expect(await get(endless)).toBe('http_too_large');
    expect(sent).toBeLessThan(10_000_000);
    const exact = await serve((_request, response) => response.end(Buffer.alloc(1_000)));
    expect(await get(exact, createHttpClient(open), { ...limits, maxBytes: 1_000 })).toHaveLength(1_000);
    expect(await get(exact, createHttpClient(open), { ...limits, maxBytes: 999 })).toBe('http_too_large');
  });

  test('that drips, or never begins, ends with the time for the whole', async () => {
    const drip = await serve((_request, response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    const silent = await serve(() => {});
    const started = performance.now();
    const brief = { ...limits, timeoutMs: 200 };
    expect(
      await Promise.all([get(drip, createHttpClient(open), brief), get(silent, createHttpClient(open), brief)]),
    ).toEqual(['http_timeout', 'http_timeout']);
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  test('that switches protocols is refused at once', async () => {
    const url = await serve((request) => {
      request.socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    });
    expect(await get(url)).toBe('http_status');
  });

  test('that breaks off is not taken for the whole', async () => {
    const chunked = await serve((_request, response) => {
      response.write('{"keys":[');
      setTimeout(() => response.destroy(), 20);
    });
    const counted = await serve((_request, response) => {
      response.setHeader('content-length', 100).write('{}');
      setTimeout(() => response.destroy(), 20);
    });
    expect(['http_incomplete', 'http_connect']).toContain(await get(chunked));
    expect(['http_incomplete', 'http_connect']).toContain(await get(counted));
  });

  test('of nobody is http_connect, and the message names the place without its query', async () => {
    const url = await serve((_request, response) => response.end());
    await new Promise((closed) => servers.splice(0)[0]?.close(closed));
    await expect(createHttpClient(open).get(`${url}/keys?secret=1`, limits)).rejects.toMatchObject({
      code: 'http_connect',
      message: expect.stringMatching(/^GET http:\/\/127\.0\.0\.1:\d+\/keys: /),
    });
  });
});

describe('what is sent', () => {
  const request: HttpRequest = {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      authorization: 'Basic x',
    },
    body: 'token=ü',
  };

  /** Status, content type and text of the answer, or the code of the Failure. */
  async function send(url: string, client = createHttpClient(open), within = limits, what = request): Promise<unknown> {
    try {
      const { status, contentType, body } = await client.send(url, what, within);
      return [status, contentType, Buffer.from(body).toString()];
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return error.code;
    }
  }

  test('goes as a POST with its own headers and its length in bytes, and the answer comes with its content type', async () => {
    let seen: unknown;
    const url = await serve((incoming, response) => {
      incoming.on('data', (body: Buffer) => {
        seen = { method: incoming.method, url: incoming.url, headers: incoming.headers, body: body.toString() };
        response.setHeader('content-type', 'application/json;charset=utf-8').end('{"active":true}');
      });
    });
    expect(await send(`${url}/introspect?tenant=a`)).toEqual([
      200,
      'application/json;charset=utf-8',
      '{"active":true}',
    ]);
    expect(seen).toEqual({
      method: 'POST',
      url: '/introspect?tenant=a',
      headers: {
        host: url.slice('http://'.length),
        accept: 'application/json',
        'accept-encoding': 'identity',
        authorization: 'Basic x',
        connection: 'keep-alive',
        'content-length': '8',
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': 'portcullis/test',
      },
      body: 'token=ü',
    });
  });

  test.each([201, 204, 400, 401, 429, 500, 503])('and answered with %d gives that answer', async (status) => {
    const url = await serve((_request, response) => response.writeHead(status).end());
    expect(await send(url)).toEqual([status, '', '']);
  });

  test.each([301, 302, 303, 307, 308])('is not sent again to where a %d leads', async (status) => {
    const asked: unknown[] = [];
    const url = await serve((incoming, response) => {
      asked.push(incoming.url);
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    expect(await send(`${url}/introspect`)).toBe('http_redirect');
    expect(asked).toEqual(['/introspect']);
  });

  test('is bound by time, size and encoding like what is got', async () => {
    const silent = await serve(() => {});
    const drip = await serve((_request, response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    const large = await serve((_request, response) => response.end(Buffer.alloc(1_000)));
    const packed = await serve((_request, response) => response.setHeader('content-encoding', 'gzip').end('x'));
    const brief = { ...limits, timeoutMs: 200 };
    const client = createHttpClient(open);
    expect(await Promise.all([send(silent, client, brief), send(drip, client, brief)])).toEqual([
      'http_timeout',
      'http_timeout',
    ]);
    expect(await send(large, client, { ...limits, maxBytes: 999 })).toBe('http_too_large');
    expect(await send(large, client, { ...limits, maxBytes: 1_000 })).toHaveLength(3);
    expect(await send(packed)).toBe('http_encoded');
  });

  test('is dialled under the same rule as what is got', async () => {
    const url = await serve((_request, response) => response.end('ok'));
    const named = url.replace('127.0.0.1', 'idp.example');
    const closed = createHttpClient({ ...open, allowPrivateAddresses: false });
    const resolvedTo = (address: string): ReturnType<typeof createHttpClient> =>
      createHttpClient({ ...open, resolve: (_hostname, done) => done(null, [address]) });
    expect(await send(url, closed)).toBe('http_address');
    expect(await send('http://169.254.169.254/')).toBe('http_address');
    expect(await send('http://user@127.0.0.1/')).toBe('http_url');
    expect(await send(named, resolvedTo('169.254.169.254'))).toBe('http_address');
    expect(await send(named, resolvedTo('127.0.0.1'))).toEqual([200, '', 'ok']);
  });

  test('with a header that is none fails without naming its value', async () => {
    const url = await serve((_request, response) => response.end());
    const bad = { ...request, headers: { authorization: 'Basic secret\r\nx: y' } };
    const failure: unknown = await createHttpClient(open)
      .send(url, bad, limits)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'http_connect', message: expect.not.stringContaining('secret') });
  });

  test('goes over the connection that is there, and over a new one where that was closed meanwhile', async () => {
    let connections = 0;
    let drop = false;
    const bodies: string[] = [];
    const server = createHttpServer((incoming, response) => {
      incoming.on('data', (body: Buffer) => {
        if (drop) {
          drop = false;
          incoming.socket.resetAndDestroy();
          return;
        }
        bodies.push(body.toString());
        response.end('ok');
      });
    });
    server.on('connection', () => connections++);
    const url = `http://127.0.0.1:${await listen(server)}`;
    const client = createHttpClient(open);
    expect([await send(url, client), await send(url, client)]).toEqual([
      [200, '', 'ok'],
      [200, '', 'ok'],
    ]);
    expect(connections).toBe(1);
    drop = true;
    expect(await send(url, client)).toEqual([200, '', 'ok']);
    expect([connections, bodies.length]).toEqual([2, 3]);
    // A connection of its own that breaks is a failure: nobody knows what the other side did with the request.
    drop = true;
    expect(await send(url, createHttpClient(open))).toBe('http_connect');
  });

  test('goes over no connection that another trust opened', async () => {
    const server = createHttpsServer({ key: testCertificateKey, cert: testCertificate }, (_request, response) =>
      response.end('ok'),
    );
    const url = `https://idp.example:${await listen(server)}/`;
    const client = createHttpClient({ ...open, resolve: (_hostname, done) => done(null, ['127.0.0.1']) });
    const trusting = { ...limits, ca: testCertificate };
    expect(await send(url, client, trusting)).toEqual([200, '', 'ok']);
    expect(await send(url, client, limits)).toBe('http_connect');
    expect(await send(url, client, { ...limits, ca: '' })).toBe('http_ca');
    expect(await send(url, client, trusting)).toEqual([200, '', 'ok']);
  });
});

describe('an address', () => {
  const closed = createHttpClient({ ...open, allowPrivateAddresses: false });
  const some = createHttpClient({ ...open, allowPrivateAddresses: false, allowedAddresses: ['127.0.0.0/8'] });

  test('that is private is called only where it is allowed, in whatever form it is written', async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls += 1;
      response.end('ok');
    });
    const port = url.slice(url.lastIndexOf(':') + 1);
    const forms = [
      '127.0.0.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '127.1',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
    ];
    for (const form of forms) expect(await get(`http://${form}:${port}/`, closed)).toBe('http_address');
    expect(calls).toBe(0);
    for (const form of forms) expect(await get(`http://${form}:${port}/`, some)).toBe('ok');
    expect(calls).toBe(forms.length);
  });

  test.each([
    'http://0.0.0.0/',
    'http://[::]/',
    'http://169.254.169.254/latest/meta-data/',
    'https://169.254.169.254/',
    'http://0xa9fea9fe/',
    'http://2852039166/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://100.100.100.200/',
    'http://8.8.8.8/',
  ])('%s is never called, though private ones are allowed', async (url) => {
    expect(await get(url)).toBe('http_address');
  });

  test.each([
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
    'data:,x',
    'keys',
    '',
    'http://user@127.0.0.1/',
    'http://:p@127.0.0.1/',
  ])('%s is none', async (url) => {
    expect(await get(url)).toBe('http_url');
  });

  test('that a name leads to is judged where it is dialled, so that no later answer of the resolver counts', async () => {
    const url = await serve((_request, response) => response.end('ok'));
    const named = url.replace('127.0.0.1', 'idp.example');
    const resolving = (...answers: readonly (readonly string[])[]): Resolve => {
      let asked = 0;
      return (_hostname, done) => done(null, answers[Math.min(asked++, answers.length - 1)] ?? []);
    };
    const ask = (resolve: Resolve, allowPrivateAddresses: boolean): Promise<string> =>
      get(named, createHttpClient({ ...open, allowPrivateAddresses, resolve }));
    expect(await ask(resolving(['127.0.0.1']), false)).toBe('http_address');
    expect(await ask(resolving(['127.0.0.1']), true)).toBe('ok');
    expect(await ask(resolving(['169.254.169.254'], ['127.0.0.1']), true)).toBe('http_address');
    expect(await ask(resolving(['169.254.169.254', '127.0.0.1']), true)).toBe('ok');
    expect(await ask(resolving([]), true)).toBe('http_address');
    expect(await ask((_hostname, done) => done(new Error('ENOTFOUND'), []), true)).toBe('http_connect');
  });
});

describe('https', () => {
  const ca = testCertificate;

  test('is trusted by the given CA alone, for the name alone', async () => {
    const port = await listen(
      createHttpsServer({ key: testCertificateKey, cert: ca }, (_request, response) => response.end('ok')),
    );
    const client = createHttpClient({ ...open, resolve: (_hostname, done) => done(null, ['127.0.0.1']) });
    const url = `https://idp.example:${port}/`;
    expect(await get(url, client, { ...limits, ca })).toBe('ok');
    expect(await get(url, client)).toBe('http_connect');
    expect(await get(`https://other.example:${port}/`, client, { ...limits, ca })).toBe('http_connect');
    expect(await get(url, client, { ...limits, ca: '' })).toBe('http_ca');
    expect(await get(url, client, { ...limits, ca: '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----' })).toBe(
      'http_connect',
    );
  });
});

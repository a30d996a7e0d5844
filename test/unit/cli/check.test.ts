import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { AskOptions, CheckReport, ProxiedRequest } from '../../../src/runtime/check-report.ts';
import { run, type CliRun } from './cli-fixtures.ts';

const allowed: CheckReport = {
  decision: 'allow',
  status: 200,
  code: undefined,
  message: undefined,
  decisionId: undefined,
  policy: undefined,
  rule: undefined,
  setHeaders: [['x-user-id', 'alice']],
  removeHeaders: ['authorization'],
  removeQueryParameters: ['access_token'],
  responseHeaders: [['x-content-type-options', 'nosniff']],
  body: '',
  metadata: {},
};
const denied: CheckReport = {
  ...allowed,
  decision: 'deny',
  status: 401,
  code: 'token_expired',
  message: 'The token is past its end.',
  decisionId: 'd-1',
  policy: 'shop/orders',
  rule: 'read',
  setHeaders: [],
  removeHeaders: [],
  removeQueryParameters: [],
  responseHeaders: [['www-authenticate', 'Bearer realm="api"']],
  body: '{"error":"token_expired"}',
};

interface Asked {
  readonly address: string;
  readonly request: ProxiedRequest;
  readonly options: AskOptions;
}

async function check(
  args: readonly string[],
  answer: CheckReport | Failure = allowed,
  stdin = '',
): Promise<CliRun & { readonly asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  const askService = (address: string, request: ProxiedRequest, options: AskOptions): Promise<CheckReport> => {
    asked.push({ address, request, options });
    return answer instanceof Failure ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const ran = await run(['check', ...args], { stdin, registry: { askService: () => Promise.resolve(askService) } });
  return { ...ran, asked };
}

describe('the request', () => {
  test('is a GET from this machine, asked on the default port', async () => {
    expect((await check(['http://api.example.com'])).asked).toEqual([
      {
        address: '127.0.0.1:9001',
        options: { timeoutMs: 5000, tls: undefined },
        request: {
          method: 'GET',
          target: '/',
          host: 'api.example.com',
          scheme: 'http',
          headers: [],
          form: 'joined',
          clientAddress: '127.0.0.1',
          contextExtensions: {},
          route: undefined,
        },
      },
    ]);
  });

  test('is what the flags say', async () => {
    const flags = [
      '--address',
      'unix:/run/p.sock',
      '--timeout',
      '2s',
      '--tls',
      '-X',
      'POST',
      '-H',
      'X-A: b',
      '-H',
      'x-a:c: d',
    ];
    const more = [
      '--token',
      '-',
      '--context',
      'a=b=c',
      '--route',
      'HTTPRoute/shop/orders/admin',
      '--client-ip',
      '::1',
      '--header-map',
      '-H',
      'Host: other',
    ];
    const { asked } = await check([...flags, ...more, 'https://api.example.com:8443?x=1'], allowed, 'Bearer t.o.k\n');
    expect(asked).toEqual([
      {
        address: 'unix:/run/p.sock',
        options: {
          timeoutMs: 2000,
          tls: { ca: undefined, certificate: undefined, key: undefined, serverName: undefined },
        },
        request: {
          method: 'POST',
          target: '/?x=1',
          host: 'other',
          scheme: 'https',
          headers: [
            ['x-a', 'b'],
            ['x-a', 'c: d'],
            ['authorization', 'Bearer t.o.k'],
          ],
          form: 'apart',
          clientAddress: '::1',
          contextExtensions: { a: 'b=c' },
          route: { kind: 'HTTPRoute', namespace: 'shop', name: 'orders', section: 'admin', annotations: new Map() },
        },
      },
    ]);
  });

  test.each(['//admin', '/a/../b', '/a%2e/b', '/a\\b', '/a#b', '/ä?x=/../'])(
    '%s is sent as it is written',
    async (path) => {
      expect((await check([`http://h${path}`])).asked[0]?.request.target).toBe(path);
    },
  );

  test.each([
    [['api.example.com/x'], '"api.example.com/x" is no URL: write http://HOST/PATH'],
    [['http://h/', '-H', 'no name'], `--header: "no name" has no name: write 'NAME: VALUE'`],
    [
      ['http://h/', '--route', 'shop/orders'],
      '--route: "shop/orders" is no route: write HTTPRoute/NAMESPACE/NAME or GRPCRoute/…',
    ],
    [['http://h/', '--context', '=x'], '--context: "=x" has no name: write NAME=VALUE'],
    [['http://h/', '--client-ip', 'me'], '--client-ip: "me" is no address'],
    [['http://h/', '--tls-key', 'k.pem'], '--tls-cert and --tls-key belong together; give both'],
    [['http://h/', '--token', ' '], 'the token is empty'],
    [['http://h/', '--token', 'canary token'], 'the token has white space inside: give one token alone'],
  ])('%j is a mistake', async (args, message) => {
    expect(await check(args)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `portcullis: ${message}; see portcullis check --help\n`,
      asked: [],
    });
  });
});

test('a server name is asked for over TLS, with or without --tls', async () => {
  const { asked } = await check(['--tls-server-name', 'portcullis.portcullis.svc', 'http://h/']);
  expect(asked[0]?.options.tls).toEqual({
    ca: undefined,
    certificate: undefined,
    key: undefined,
    serverName: 'portcullis.portcullis.svc',
  });
});

test.each(['', '127.0.0.1', '::1', 'a:9001', 'https://a', 'a b', '*.a'])('a server name cannot be %j', async (name) => {
  const { exitCode, stderr, asked } = await check(['--tls-server-name', name, 'http://h/']);
  expect([exitCode, stderr, asked]).toEqual([2, expect.stringContaining('A server name is a DNS name'), []]);
});

describe('the answer', () => {
  test('of an allow: what the service behind sees, and exit code 0', async () => {
    const { exitCode, stdout } = await check(['http://h/']);
    expect([exitCode, stdout]).toEqual([
      0,
      `ALLOWED
the service behind sees:
  + x-user-id: alice
  - authorization
  - ?access_token
the answer to the client has:
  + x-content-type-options: nosniff
`,
    ]);
  });

  test('of a denial: status, code, reason and id, and exit code 1', async () => {
    const { exitCode, stdout } = await check(['http://h/'], denied);
    expect([exitCode, stdout]).toEqual([
      1,
      `DENIED 401 token_expired
The token is past its end.
by shop/orders read
decision d-1
the answer to the client has:
  + www-authenticate: Bearer realm="api"
`,
    ]);
  });

  test.each<[string, CheckReport, number]>([
    ['allow', allowed, 0],
    ['allow', denied, 1],
    ['deny', allowed, 1],
    ['deny', denied, 0],
    ['deny', { ...denied, status: 500 }, 1],
    ['any', allowed, 0],
    ['any', { ...denied, status: 499 }, 0],
    ['any', { ...denied, status: 503, code: 'not_ready' }, 1],
  ])('of --expect %s to %o is exit code %i', async (expected, answer, exitCode) => {
    expect(await check(['--expect', expected, 'http://h/'], answer)).toMatchObject({ exitCode });
  });

  test('that cannot be expected is a mistake of the command line', async () => {
    expect(await check(['--expect', 'perhaps', 'http://h/'])).toMatchObject({ exitCode: 2, asked: [] });
  });

  test('a body that a policy dressed is shown, its control characters escaped', async () => {
    const dressed = { ...denied, code: undefined, message: undefined, decisionId: undefined, body: 'no\u001b[31m' };
    expect((await check(['http://h/'], dressed)).stdout).toContain('with the body:\n  no\\u001b[31m\n');
  });

  test('as JSON is the whole of it', async () => {
    expect(JSON.parse((await check(['-o', 'json', 'http://h/'], denied)).stdout)).toEqual(denied);
  });

  test.each(['no_answer', 'bad_answer'])(
    'that is none (%s) is exit code 3, and never taken for a denial',
    async (code) => {
      expect(await check(['http://h/'], new Failure(code, 'Nobody there.'))).toMatchObject({
        exitCode: 3,
        stdout: '',
        stderr: `portcullis: 127.0.0.1:9001: Nobody there. [${code}]\n`,
      });
    },
  );
});

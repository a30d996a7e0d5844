import { createSecureServer, createServer, type Http2SecureServer, type Http2Server } from 'node:http2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askService } from '../../../src/runtime/ask-service.ts';
import { diagnoseConnection } from '../../../src/runtime/diagnose-connection.ts';
import { createAuthority } from '../../support/certificates.ts';

const authority = createAuthority('servers');
const stranger = createAuthority('strangers');
const clients = createAuthority('clients');
const pair = authority.issue();
const server = { cert: pair.certificate, key: pair.key };

const servers = {
  plain: createServer(),
  tls: createSecureServer(server),
  mutual: createSecureServer({ ...server, ca: clients.certificate, requestCert: true, rejectUnauthorized: true }),
};

function portOf(of: Http2Server | Http2SecureServer): number {
  const address = of.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

beforeAll(async () => {
  for (const one of Object.values(servers)) {
    one.on('sessionError', () => undefined);
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  }
});
afterAll(() => Object.values(servers).forEach((one) => one.close()));

const own = clients.issue();
const trusting = { ca: authority.certificate, certificate: undefined, key: undefined, serverName: undefined };

describe('why a service gives no answer', () => {
  test.each([
    [
      'cleartext to a TLS port',
      'tls',
      undefined,
      'it speaks TLS: give --tls, and --tls-ca FILE for an issuer of your own',
    ],
    [
      'cleartext to a port with mTLS',
      'mutual',
      undefined,
      'it speaks TLS: give --tls, and --tls-ca FILE for an issuer of your own',
    ],
    ['TLS to a cleartext port', 'plain', trusting, 'it does not speak TLS: leave --tls and its files out'],
    [
      'an issuer that nobody here trusts',
      'tls',
      { ...trusting, ca: undefined },
      'its certificate is of an issuer that is not trusted here: give the issuer with --tls-ca FILE',
    ],
    [
      'another issuer than the one given',
      'tls',
      { ...trusting, ca: stranger.certificate },
      'its certificate is of an issuer that is not trusted here: give the issuer with --tls-ca FILE',
    ],
    [
      'no client certificate',
      'mutual',
      trusting,
      'it wants a client certificate of an issuer that it trusts: give one with --tls-cert FILE and --tls-key FILE',
    ],
    [
      'a server name that the certificate has not',
      'tls',
      { ...trusting, serverName: 'other.example' },
      'its certificate is not for other.example: ask it by a name or address that the certificate holds, or give that with --tls-server-name NAME',
    ],
    ['the control: a server name that it has', 'tls', { ...trusting, serverName: 'portcullis.example' }, undefined],
    ['the control: nothing is wrong', 'tls', trusting, undefined],
    ['the control: nor with a client certificate', 'mutual', { ...trusting, ...own }, undefined],
    ['the control: nor in cleartext', 'plain', undefined, undefined],
  ] as const)('%s', async (_title, which, tls, why) => {
    expect(await diagnoseConnection(`127.0.0.1:${portOf(servers[which])}`, tls, 2000)).toBe(why);
  });

  test('nobody is there', async () => {
    const nobody = 'does portcullis serve run, and is this its --grpc-address?';
    expect(await diagnoseConnection('127.0.0.1:1', undefined, 2000)).toBe(`nobody listens there: ${nobody}`);
    expect(await diagnoseConnection('unix:/no/such.sock', undefined, 2000)).toBe(`there is no such socket: ${nobody}`);
  });
});

test('check is told it in place of what OpenSSL says', async () => {
  const request = {
    method: 'GET',
    target: '/',
    host: 'a',
    scheme: 'http',
    headers: [],
    contextExtensions: {},
    route: undefined,
  };
  const asked = askService(
    `127.0.0.1:${portOf(servers.plain)}`,
    { ...request, form: 'joined', clientAddress: '127.0.0.1' },
    { timeoutMs: 2000, tls: trusting },
  );
  await expect(asked).rejects.toMatchObject({
    code: 'no_answer',
    message: 'it does not speak TLS: leave --tls and its files out',
  });
});

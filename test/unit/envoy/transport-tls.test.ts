import { credentials, type Client } from '@grpc/grpc-js';
import { connect as connectPlain } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { allow } from '../../../src/core/decision.ts';
import {
  createTlsAcceptor,
  type HandshakeEnd,
  type TlsAcceptor,
  type TlsIdentity,
  type TlsVersion,
} from '../../../src/std/tls-acceptor.ts';
import { createAuthority, type TestPair } from '../../support/certificates.ts';
import {
  startCheckServer,
  transportNames,
  type CheckServer,
  type CheckServerOptions,
  type TransportName,
} from './check-server.ts';
import { about, allowed, authorizer, checkRequest, sleep, slowAuthorizer, unchanged } from './envoy-fixtures.ts';
import { callCheck, callHealth, clientOf } from './grpc-clients.ts';

const servers = createAuthority('servers');
const clients = createAuthority('clients');
const strangers = createAuthority('strangers');
const pair = servers.issue();
const plain: TlsIdentity = { ...pair, clientCas: undefined };
const mutual: TlsIdentity = { ...pair, clientCas: [clients.certificate] };
const unavailable = { status: 14 };

interface TlsServer {
  readonly server: CheckServer;
  readonly acceptor: TlsAcceptor;
  /** How handshakes ended: `ok`, `refused REASON`. */
  readonly ends: string[];
  /** Where those came from that did not end well. */
  readonly from: (string | undefined)[];
  readonly client: (own?: TestPair, trusted?: string) => Client;
  /** Shakes hands as the options say: the protocol agreed on once the server has said something, or how it failed. */
  readonly shake: (options?: ConnectionOptions) => Promise<string>;
}

async function startOn(
  kind: TransportName,
  identity = plain,
  options: CheckServerOptions & { readonly minVersion?: TlsVersion } = {},
): Promise<TlsServer> {
  const ends: string[] = [];
  const from: (string | undefined)[] = [];
  const onHandshake = (end: HandshakeEnd): void => {
    ends.push(end.result === 'ok' ? 'ok' : `${end.result} ${end.reason}`);
    if (end.result !== 'ok') from.push(end.remoteAddress);
  };
  const minVersion = options.minVersion ?? 'TLSv1.2';
  const acceptor = createTlsAcceptor(identity, { minVersion, protocol: 'h2', onHandshake });
  const server = await startCheckServer({ kind, ...options, secure: (handOver) => acceptor.secure(handOver) });
  return {
    server,
    acceptor,
    ends,
    from,
    client: (own, trusted = servers.certificate) => {
      const ownParts = [own?.key, own?.certificate].map((text) => (text === undefined ? null : Buffer.from(text)));
      const client = clientOf(server.address, credentials.createSsl(Buffer.from(trusted), ...ownParts));
      onTestFinished(() => client.close());
      return client;
    },
    shake: (more = {}) => shakeHands(server.address, more),
  };
}

function shakeHands(address: string, options: ConnectionOptions): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({
      host,
      servername: 'localhost',
      port: Number(port),
      ca: servers.certificate,
      ALPNProtocols: ['h2'],
      ...options,
    });
    const end = (how: string): void => {
      socket.destroy();
      resolve(how);
    };
    // The server's SETTINGS frame: under TLS 1.3 a client is done before the server has judged its certificate.
    socket.once('data', () => end(`${socket.getProtocol()} ${socket.alpnProtocol}`));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.once('close', () => end('closed'));
  });
}

describe.each(transportNames)('on %s', (kind) => {
  const start = (identity = plain, options: Parameters<typeof startOn>[2] = {}): Promise<TlsServer> =>
    startOn(kind, identity, options);

  describe('checks and health over TLS', () => {
    test('are answered, with HTTP/2 agreed on', async () => {
      const { server, client, shake, ends } = await start();
      const asked = client();
      server.health.setServing(true);
      expect(await callCheck(asked, checkRequest())).toEqual(allowed);
      expect(await callHealth(asked, '')).toEqual({ status: 1 });
      expect(await shake()).toBe('TLSv1.3 h2');
      expect(await shake({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2 h2');
      expect(ends).toEqual(['ok', 'ok', 'ok']);
    });

    test('with a body of 4 MB', async () => {
      const { client } = await start();
      expect(await callCheck(client(), checkRequest({ body: 'x'.repeat(4 * 1024 * 1024) }))).toEqual(allowed);
    });

    test('are not for a client that does not trust the certificate', async () => {
      const { client } = await start();
      expect(await callCheck(client(undefined, strangers.certificate), checkRequest())).toEqual(unavailable);
    });

    test('are not there in cleartext, and those who try do not disturb', async () => {
      const { server, client, ends } = await start();
      expect(await callCheck(server.client(), checkRequest())).toEqual(unavailable);
      expect(ends[0]).toBe('refused ERR_SSL_WRONG_VERSION_NUMBER');
      expect(await callCheck(client(), checkRequest())).toEqual(allowed);
    });

    test('are not there for who speaks no HTTP/2: HTTP/1.1 alone, or says nothing of a protocol', async () => {
      const { shake, ends } = await start();
      expect(await shake({ ALPNProtocols: ['http/1.1'] })).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
      expect(await shake({ ALPNProtocols: ['http/1.1', 'h2'] })).toBe('TLSv1.3 h2');
      expect(await shake({ ALPNProtocols: [] })).toBe('closed');
      expect(ends).toEqual(['refused ERR_SSL_NO_APPLICATION_PROTOCOL', 'ok', 'refused NO_APPLICATION_PROTOCOL']);
    });

    test('are not there below TLS 1.2, nor below 1.3 where that is asked for', async () => {
      // OpenSSL itself would not try: its own security level has to be taken down.
      const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      const { shake } = await start();
      expect(await shake(old)).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
      const strict = await start(plain, { minVersion: 'TLSv1.3' });
      expect(await strict.shake({ maxVersion: 'TLSv1.2' })).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
      expect(await strict.shake()).toBe('TLSv1.3 h2');
    });

    test('go on where a client would shake hands again and again, which TLS 1.2 allows', async () => {
      const { server, client } = await start();
      const [host, port] = server.address.split(':');
      const options = { host, servername: 'localhost', port: Number(port), ca: servers.certificate };
      const socket = connect({ ...options, ALPNProtocols: ['h2'], maxVersion: 'TLSv1.2' });
      await new Promise((resolve) => void socket.once('data', resolve));
      const end = await new Promise((resolve) => {
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
        socket.renegotiate({ rejectUnauthorized: true }, (error) =>
          resolve(error === null ? 'renegotiated' : 'refused'),
        );
      });
      socket.destroy();
      expect(end).toBe('ERR_SSL_NO_RENEGOTIATION');
      expect(await callCheck(client(), checkRequest())).toEqual(allowed);
    });

    test('go on after a connection that says nothing and goes away', async () => {
      const { server, client, ends } = await start();
      const [host = '', port] = server.address.split(':');
      const socket = connectPlain(Number(port), host, () => socket.destroy());
      await expect.poll(() => ends).toEqual(['aborted ECONNRESET']);
      expect(await callCheck(client(), checkRequest())).toEqual(allowed);
    });
  });

  describe('with issuers of clients', () => {
    test('a certificate of theirs is asked for, and shown', async () => {
      const { client, ends } = await start(mutual);
      expect(await callCheck(client(clients.issue()), checkRequest())).toEqual(allowed);
      expect(await callCheck(client(clients.issue({ use: 'client' })), checkRequest())).toEqual(allowed);
      expect(ends).toEqual(['ok', 'ok']);
    });

    test.each<[string, TestPair | undefined, string]>([
      ['no certificate', undefined, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
      ['one of strangers', strangers.issue(), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      ['one of a stranger with the name of the issuer', createAuthority('clients').issue(), 'CERT_SIGNATURE_FAILURE'],
      ['one of the issuer of servers, sent along', servers.issue(), 'SELF_SIGNED_CERT_IN_CHAIN'],
      ['one past its end', clients.issue({ to: Date.now() - 60_000 }), 'CERT_HAS_EXPIRED'],
      ['one before its beginning', clients.issue({ from: Date.now() + 60_000 }), 'CERT_NOT_YET_VALID'],
      ['one for servers alone', clients.issue({ use: 'server' }), 'INVALID_PURPOSE'],
    ])('%s is refused, under TLS 1.2 and 1.3', async (_title, own, reason) => {
      let asked = 0;
      const ours = authorizer(() => {
        asked++;
        return allow(about, unchanged);
      });
      const { client, shake, ends, from } = await start(mutual, { authorizer: ours });
      expect(await callCheck(client(own), checkRequest())).toEqual(unavailable);
      expect(ends[0]).toBe(`refused ${reason}`);
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        const shown = own === undefined ? {} : { cert: own.certificate, key: own.key };
        expect(await shake({ maxVersion, ...shown })).not.toMatch(/h2/);
      }
      expect(asked).toBe(0);
      await expect.poll(() => from.length).toBeGreaterThanOrEqual(3);
      expect(new Set(from)).toEqual(new Set(['127.0.0.1']));
    });

    test('a session is not taken up again: each connection shows its certificate', async () => {
      const { server, shake } = await start(mutual);
      const own = clients.issue();
      const shown = { cert: own.certificate, key: own.key };
      const [host, port] = server.address.split(':');
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        let session: Buffer | undefined;
        const socket = connect({
          host,
          servername: 'localhost',
          port: Number(port),
          ca: servers.certificate,
          ALPNProtocols: ['h2'],
          maxVersion,
          ...shown,
        });
        socket.on('session', (data: Buffer) => (session = data));
        await new Promise((resolve) => void socket.once('data', resolve));
        session ??= socket.getSession();
        socket.destroy();
        expect(session).toBeDefined();
        expect(await shake({ maxVersion, session })).not.toMatch(/h2/);
        expect(await shake({ maxVersion, session, ...shown })).toMatch(/h2/);
      }
    });
  });

  describe('a renewal', () => {
    const nextServers = createAuthority('next servers');
    const next: TlsIdentity = { ...nextServers.issue(), clientCas: undefined };

    test('is for new connections, and those that are there live on', async () => {
      const { acceptor, client } = await start();
      const before = client();
      expect(await callCheck(before, checkRequest())).toEqual(allowed);
      acceptor.renew(next);
      expect(await callCheck(before, checkRequest())).toEqual(allowed);
      expect(await callCheck(client(undefined, nextServers.certificate), checkRequest())).toEqual(allowed);
      expect(await callCheck(client(), checkRequest())).toEqual(unavailable);
    });

    test('of the issuers of clients keeps out whom the old ones vouched for', async () => {
      const { acceptor, client } = await start(mutual);
      const own = clients.issue();
      expect(await callCheck(client(own), checkRequest())).toEqual(allowed);
      acceptor.renew({ ...pair, clientCas: [strangers.certificate] });
      expect(await callCheck(client(own), checkRequest())).toEqual(unavailable);
      expect(await callCheck(client(strangers.issue()), checkRequest())).toEqual(allowed);
      acceptor.renew({ ...pair, clientCas: [strangers.certificate, clients.certificate] });
      expect(await callCheck(client(own), checkRequest())).toEqual(allowed);
    });

    test('that does not fit, or would no more ask clients, throws and changes nothing', async () => {
      const { acceptor, client } = await start(mutual);
      expect(() => acceptor.renew({ ...mutual, key: next.key })).toThrow();
      expect(() => acceptor.renew(plain)).toThrow(TypeError);
      expect(await callCheck(client(clients.issue()), checkRequest())).toEqual(allowed);
      expect(await callCheck(client(), checkRequest())).toEqual(unavailable);
    });

    test('in a storm of new connections loses no check', async () => {
      const { acceptor, client } = await start();
      const trusted = servers.certificate + nextServers.certificate;
      const answers: unknown[] = [];
      for (let i = 0; i < 40; i++) {
        if (i % 4 === 0) acceptor.renew(i % 8 === 0 ? next : plain);
        const asked = client(undefined, trusted);
        answers.push(callCheck(asked, checkRequest()));
        if (i % 5 === 0) await sleep(2);
      }
      expect(await Promise.all(answers)).toEqual(answers.map(() => allowed));
    });
  });

  describe('a drain', () => {
    test('answers what was asked over TLS before it, and ends the connections', async () => {
      const slow = slowAuthorizer();
      const { server, client } = await start(mutual, { authorizer: slow.ours });
      const answer = callCheck(client(clients.issue()), checkRequest());
      await slow.asked;
      const drained = server.transport.drain(5000);
      await sleep(20);
      slow.finish();
      expect(await answer).toEqual(allowed);
      expect(await drained).toBe('drained');
    });

    test('waits for no handshake that never ends', async () => {
      const { server } = await start();
      const [host = '', port] = server.address.split(':');
      const socket = connectPlain(Number(port), host);
      onTestFinished(() => void socket.destroy());
      await new Promise((resolve) => void socket.once('connect', resolve));
      await sleep(20);
      expect(await server.transport.drain(100)).toBe('forced');
    });

    test('takes no connection whose handshake ends after it has begun', async () => {
      const { server } = await start();
      const [host = '', port] = server.address.split(':');
      const raw = connectPlain(Number(port), host);
      await new Promise((resolve) => void raw.once('connect', resolve));
      await sleep(20);
      const drained = server.transport.drain(5000);
      const socket = connect({ socket: raw, ca: servers.certificate, ALPNProtocols: ['h2'], servername: 'localhost' });
      socket.on('error', () => {});
      expect(await drained).toBe('drained');
    });
  });
});

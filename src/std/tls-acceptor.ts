import { constants } from 'node:crypto';
import { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import type { TakeConnection } from './listen.ts';

/** What a server shows of itself, and whom it believes. All PEM. */
export interface TlsIdentity {
  /** The server's certificate and, behind it, what leads to its issuer. */
  readonly certificate: string;
  readonly key: string;
  /** Issuers of client certificates, at least one; undefined: clients are not asked for one. */
  readonly clientCas: readonly string[] | undefined;
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface TlsAcceptorOptions {
  readonly minVersion: TlsVersion;
  /** The one protocol that is spoken, as ALPN names it (RFC 7301): `h2`. */
  readonly protocol: string;
  readonly onHandshake: (end: HandshakeEnd) => void;
}

/** `refused`: the peer, or we, would not have it so; `aborted`: the peer went away or said nothing. `reason` is a code of OpenSSL's or Node's. */
export type HandshakeEnd =
  | { readonly result: 'ok' }
  | { readonly result: 'refused' | 'aborted'; readonly reason: string; readonly remoteAddress: string | undefined };

/** Secures connections that somebody else accepted. */
export interface TlsAcceptor {
  /**
   * What it returns takes a fresh connection, and `handOver` gets the same one secured, once the client has shown what it must and
   * both agreed on the protocol. All others are closed.
   */
  secure(handOver: TakeConnection): TakeConnection;
  /** For connections from now on; those that are there live on. Throws where OpenSSL does not take it, and then nothing has changed. */
  renew(identity: TlsIdentity): void;
}

const handshakeTimeoutMs = 10_000;

/**
 * No session is taken up again: a resumed one is not asked for its certificate, so it would outlive the certificate's end and its
 * issuer's removal. Connections of proxies live for hours, so nothing is lost.
 */
const secureOptions = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION;

/** Throws where OpenSSL does not take the identity. */
export function createTlsAcceptor(first: TlsIdentity, options: TlsAcceptorOptions): TlsAcceptor {
  const servers: Server[] = [];
  const asksClients = first.clientCas !== undefined;
  let identity = first;

  function secure(handOver: TakeConnection): TakeConnection {
    const server = createServer({
      ...contextOptions(identity, options.minVersion),
      ALPNProtocols: [options.protocol],
      requestCert: asksClients,
      rejectUnauthorized: asksClients,
      handshakeTimeout: handshakeTimeoutMs,
    });
    servers.push(server);
    // Who is refused for a certificate is gone when we hear of it, and the address can no longer be asked.
    const addresses = new WeakMap<object, string | undefined>();
    server.on('tlsClientError', (error, socket) => {
      const under = acceptedUnder(socket);
      const remoteAddress = socket.remoteAddress ?? (under && addresses.get(under));
      options.onHandshake(endOf(error, socket, remoteAddress));
    });
    server.on('secureConnection', (socket) => {
      // Errors of a connection end that connection: its close is what its user hears of.
      socket.on('error', () => {});
      // A client that names no protocol at all gets this far.
      if (socket.alpnProtocol === options.protocol) {
        options.onHandshake({ result: 'ok' });
        handOver(socket);
        return;
      }
      const { remoteAddress } = socket;
      socket.destroy();
      options.onHandshake({ result: 'refused', reason: 'NO_APPLICATION_PROTOCOL', remoteAddress });
    });
    return (socket) => {
      addresses.set(socket, socket.remoteAddress);
      server.emit('connection', socket);
    };
  }

  function renew(next: TlsIdentity): void {
    // Clients that must show a certificate must go on to have to.
    if ((next.clientCas !== undefined) !== asksClients) throw new TypeError('whether clients are asked cannot change');
    for (const server of servers) server.setSecureContext(contextOptions(next, options.minVersion));
    identity = next;
  }

  return { secure, renew };
}

/** What OpenSSL is given, for a server or for a trial (`createSecureContext`). */
export function contextOptions(
  { certificate, key, clientCas }: TlsIdentity,
  minVersion: TlsVersion,
): SecureContextOptions {
  return {
    cert: certificate,
    key,
    // Without a list Node would trust whatever the system trusts.
    ca: clientCas === undefined ? [] : [...clientCas],
    minVersion,
    secureOptions,
  };
}

/** The connection that is secured. Node has no documented name for it; without it a refusal has no address. */
function acceptedUnder(socket: TLSSocket): object | undefined {
  return '_parent' in socket && socket._parent instanceof Socket ? socket._parent : undefined;
}

function endOf(error: Error, socket: TLSSocket, remoteAddress: string | undefined): HandshakeEnd {
  // Where the certificate was judged and refused, the error only says that the connection is over.
  const judged: unknown = socket.authorizationError;
  if (typeof judged === 'string') return { result: 'refused', reason: judged, remoteAddress };
  const reason = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const isAborted = reason === 'ECONNRESET' || reason === 'EPIPE' || reason === 'ERR_TLS_HANDSHAKE_TIMEOUT';
  return { result: isAborted ? 'aborted' : 'refused', reason, remoteAddress };
}

import { connect as connectPlainly, type Socket } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';
import type { CheckClientTls } from '../envoy/check-client.ts';
import { isAddress } from '../std/address-identity.ts';
import { parseSocketAddress } from '../std/socket-address.ts';

/**
 * Why a gRPC call to `HOST:PORT` or `unix:PATH` got no answer, as far as a connection of our own tells: a sentence with the remedy, by the
 * flags of `portcullis check`; undefined where nothing speaks against it. Sends nothing but the handshake; never rejects.
 */
export async function diagnoseConnection(
  address: string,
  tls: CheckClientTls | undefined,
  timeoutMs: number,
): Promise<string | undefined> {
  const parsed = parseSocketAddress(address);
  if (parsed === undefined) return undefined;
  const to = parsed.kind === 'unix' ? { path: parsed.path } : { host: parsed.host, port: parsed.port };
  const reached = await outcomeOf(connectPlainly(to), 'connect', timeoutMs);
  if (reached.kind === 'failed') return unreachable(reached.code);
  if (reached.kind === 'silent') return 'nothing answers there: is the address right, and is a firewall between?';
  const host = tls?.serverName ?? (parsed.kind === 'tcp' ? parsed.host : 'localhost');
  const socket = connect({ ...to, ...optionsOf(host, tls) });
  const handshake = await outcomeOf(socket, 'secureConnect', timeoutMs);
  if (tls === undefined)
    return speaksTls(handshake) ? 'it speaks TLS: give --tls, and --tls-ca FILE for an issuer of your own' : undefined;
  if (handshake.kind === 'failed' && handshake.code === 'ERR_SSL_WRONG_VERSION_NUMBER') return notTls;
  return handshake.kind === 'done' && handshake.code !== undefined
    ? untrusted(handshake.code, host)
    : refusal(handshake, tls);
}

const notTls = 'it does not speak TLS: leave --tls and its files out';

/** The certificate is looked at here, so that what it lacks can be told. */
function optionsOf(host: string, tls: CheckClientTls | undefined): ConnectionOptions {
  const { ca, certificate: cert, key } = tls ?? {};
  return {
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
    ...(isAddress(host) ? {} : { servername: host }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

type Outcome =
  /** `code`: what is wrong with the certificate, where something is. */
  | { readonly kind: 'done'; readonly code: string | undefined }
  /** `isSecure`: behind the handshake. */
  | { readonly kind: 'failed'; readonly code: string; readonly isSecure: boolean }
  | { readonly kind: 'silent' };

function failed(code: string, isSecure: boolean): Outcome {
  return { kind: 'failed', code, isSecure };
}

/** What a client certificate lacks is told behind the handshake (TLS 1.3): so long an error is waited for. */
const afterwardsMs = 200;

function outcomeOf(socket: Socket, event: 'connect' | 'secureConnect', timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const end = (outcome: Outcome): void => {
      socket.destroy();
      resolve(outcome);
    };
    let isSecure = false;
    const done = (): void => end({ kind: 'done', code: authorizationError(socket) });
    socket.setTimeout(timeoutMs);
    socket.once('timeout', () => (isSecure ? done() : end({ kind: 'silent' })));
    socket.once('error', (error: NodeJS.ErrnoException) => end(failed(error.code ?? '', isSecure)));
    socket.once(event, () => {
      if (event === 'connect') return done();
      isSecure = true;
      socket.resume();
      socket.setTimeout(afterwardsMs);
    });
    socket.once('close', () => end(failed('', isSecure)));
  });
}

/** Node says it in a code, whatever its types say. */
function authorizationError(socket: Socket): string | undefined {
  const why: unknown = 'authorizationError' in socket ? socket.authorizationError : undefined;
  if (typeof why === 'string') return why;
  return why instanceof Error && 'code' in why ? String(why.code) : undefined;
}

function unreachable(code: string): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nobody listens there: does portcullis serve run, and is this its --grpc-address?';
    case 'ENOENT':
      return 'there is no such socket: does portcullis serve run, and is this its --grpc-address?';
    case 'EACCES':
      return 'this user may not connect to the socket';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'no address is known for the host';
    default:
      return undefined;
  }
}

/** Who asks for a client certificate speaks TLS too. */
function speaksTls(handshake: Outcome): boolean {
  return handshake.kind === 'done' || (handshake.kind === 'failed' && handshake.code.startsWith('ERR_SSL_TLSV1'));
}

function untrusted(code: string, host: string): string {
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is not for ${host}: ask it by a name or address that the certificate holds, or give that with --tls-server-name NAME`;
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired';
    default:
      return 'its certificate is of an issuer that is not trusted here: give the issuer with --tls-ca FILE';
  }
}

function refusal(handshake: Outcome, { certificate }: CheckClientTls): string | undefined {
  if (handshake.kind !== 'failed') return undefined;
  const says = /CERTIFICATE|UNKNOWN_CA/.test(handshake.code);
  if (certificate !== undefined && (says || handshake.isSecure))
    return 'it ends the connection when it has seen the client certificate: is that of --tls-cert of an issuer that it trusts, and valid now?';
  if (!says) return undefined;
  return 'it wants a client certificate of an issuer that it trusts: give one with --tls-cert FILE and --tls-key FILE';
}

import type { LogFields } from '../core/ports.ts';
import type { TakeConnection } from '../std/listen.ts';
import { createTlsAcceptor, type HandshakeEnd } from '../std/tls-acceptor.ts';
import type { Config } from './config/settings.ts';
import type { ServiceIo } from './running-service.ts';
import { createTlsSource, type GoodTls } from './tls-source.ts';

/** The TLS of the gRPC port. */
export interface GrpcTls {
  readonly secure: (handOver: TakeConnection) => TakeConnection;
  close(): void;
}

type TlsSettings = Pick<Config, 'tlsCertificate' | 'tlsKey' | 'tlsClientCa' | 'tlsMinimumVersion'>;

/** One line in this time for each reason; the metric counts all. */
const refusalLogMs = 60_000;

/**
 * TLS as configured, with files that are followed; undefined where it is off. Throws a Failure `tls_unusable` or `tls_unreadable` where
 * it cannot begin.
 */
export async function createGrpcTls(settings: TlsSettings, io: ServiceIo): Promise<GrpcTls | undefined> {
  const { tlsCertificate: certificate, tlsKey: key, tlsClientCa: clientCa, tlsMinimumVersion: minVersion } = settings;
  if (certificate === undefined || key === undefined) return undefined;
  const { clock, timers, observation } = io;
  const { logger, metrics } = observation;
  const source = await createTlsSource({ files: { certificate, key, clientCa }, minVersion, clock, timers, logger });
  const acceptor = createTlsAcceptor(source.first.identity, { minVersion, protocol: 'h2', onHandshake: tell(io) });
  metrics.tls.inUse(source.first);
  const clientCertificates = clientCa === undefined ? 'not asked for' : 'required';
  logger.info({ ...fieldsOf(source.first), minVersion, clientCertificates }, 'the gRPC port speaks TLS');
  source.follow({
    onRenewed: (renewed) => {
      acceptor.renew(renewed.identity);
      metrics.tls.inUse(renewed);
      metrics.tls.reload('ok');
      logger.info(fieldsOf(renewed), 'the TLS files were renewed: new connections use them');
    },
    onRefused: (why) => {
      metrics.tls.reload('failed');
      logger.error({ why }, 'the TLS files cannot be used; the last good ones stay in use');
    },
  });
  return { secure: (handOver) => acceptor.secure(handOver), close: () => source.close() };
}

function fieldsOf({ fingerprint, endsAt }: GoodTls): LogFields {
  return { fingerprint, ends: new Date(endsAt).toISOString() };
}

/** Counts every handshake, and tells why one was refused: whoever is kept out shows nothing but a closed connection. */
function tell({ clock, observation: { logger, metrics } }: ServiceIo): (end: HandshakeEnd) => void {
  const lastToldAt = new Map<string, number>();
  return (end) => {
    metrics.tls.handshake(end.result);
    if (end.result !== 'refused') return;
    const { reason, remoteAddress } = end;
    const now = clock.monotonic();
    if (now - (lastToldAt.get(reason) ?? -Infinity) < refusalLogMs) return;
    // The reasons are codes of OpenSSL's and Node's: some hundred at most.
    lastToldAt.set(reason, now);
    logger.warn({ reason, remoteAddress }, 'a TLS handshake was refused; told at most once a minute for each reason');
  };
}

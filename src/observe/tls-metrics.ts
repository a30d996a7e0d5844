import type { Clock } from '../core/ports.ts';
import type { MetricRegistry } from './metric-registry.ts';

const handshakeResults = ['ok', 'refused', 'aborted'] as const;

/** What is told of the TLS of the gRPC port. */
export interface TlsMetrics {
  /** When what is in use from now on ends, milliseconds since the epoch; `clientCaEndsAt` is undefined where clients are not asked. */
  inUse(ends: { readonly endsAt: number; readonly clientCaEndsAt: number | undefined }): void;
  reload(result: 'ok' | 'failed'): void;
  handshake(result: (typeof handshakeResults)[number]): void;
}

/** The metrics of TLS, and what brings the gauges up to date. */
export function createTlsMetrics(
  registry: MetricRegistry,
  clock: Clock,
): {
  readonly tls: TlsMetrics;
  readonly update: () => void;
} {
  const expiry = registry.gauge('portcullis_tls_certificate_expiry_seconds');
  const reloads = registry.counter('portcullis_tls_reloads_total');
  const handshakes = registry.counter('portcullis_tls_handshakes_total');
  for (const result of ['ok', 'failed'] as const) reloads.inc({ result }, 0);
  for (const result of handshakeResults) handshakes.inc({ result }, 0);
  const ends = new Map<string, number>();
  return {
    tls: {
      inUse: ({ endsAt, clientCaEndsAt }) => {
        ends.set('server', endsAt);
        if (clientCaEndsAt !== undefined) ends.set('client-ca', clientCaEndsAt);
      },
      reload: (result) => reloads.inc({ result }),
      handshake: (result) => handshakes.inc({ result }),
    },
    update: () => {
      for (const [certificate, end] of ends) expiry.set({ certificate }, (end - clock.now()) / 1000);
    },
  };
}

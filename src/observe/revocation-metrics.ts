import type { RevocationStatus } from '../core/revocation.ts';
import type { MetricRegistry } from './metric-registry.ts';

export type IssuerEventResult = 'taken' | 'refused' | 'unavailable';

/** Lists that others keep, and that can become unreadable. */
const keptByOthers = new Set<string>(['file', 'configMap', 'shared']);

/** Makes the gauges of revocations; what it returns brings them up to date. */
export function createRevocationMetrics(registry: MetricRegistry): (status: RevocationStatus) => void {
  const entries = registry.gauge('portcullis_revocations');
  const readable = registry.gauge('portcullis_revocations_readable');
  const widened = registry.gauge('portcullis_revocations_widened');
  const signals = registry.gauge('portcullis_identity_signals');
  return (status) => {
    for (const { source, entries: count, failure } of status.sources) {
      entries.set({ source }, count);
      if (keptByOthers.has(source)) readable.set({ source }, failure === undefined ? 1 : 0);
    }
    widened.set(status.widened);
    signals.set(status.signals);
  };
}

/** Counts what issuers deliver. */
export function createIssuerEventCounter(registry: MetricRegistry): (event: string, result: IssuerEventResult) => void {
  const events = registry.counter('portcullis_issuer_events_total');
  // From zero on, so that the first failure is an increase.
  for (const event of ['logout', 'events']) {
    for (const result of ['refused', 'unavailable']) events.inc({ event, result }, 0);
  }
  return (event, result) => events.inc({ event, result });
}

import type { Gauge } from 'prom-client';
import type { Clock } from '../core/ports.ts';
import type { DocumentStatus, ServiceStatus } from '../core/status.ts';
import { createRevocationMetrics } from './revocation-metrics.ts';
import type { MetricRegistry } from './metric-registry.ts';

const states: readonly DocumentStatus['serving'][] = ['current', 'last-good', 'refused'];

/** Makes the gauges of the service's status; what it returns brings them up to date. */
export function createStatusMetrics(registry: MetricRegistry, clock: Clock): (status: ServiceStatus) => void {
  const ready = registry.gauge('portcullis_ready');
  const revision = registry.gauge('portcullis_policy_revision');
  const age = registry.gauge('portcullis_policy_age_seconds');
  const documents = registry.gauge('portcullis_documents');
  const keys = registry.gauge('portcullis_keys');
  const keyAge = registry.gauge('portcullis_key_age_seconds');
  const redis = registry.gauge('portcullis_redis_up');
  const updateRevocations = createRevocationMetrics(registry);
  age.remove({});
  redis.remove({});
  for (const state of states) documents.set({ state }, 0);
  return (status) => {
    ready.set(status.ready ? 1 : 0);
    revision.set(status.revision);
    if (status.lastReadAt !== undefined) age.set(Math.max(0, clock.now() - status.lastReadAt) / 1000);
    for (const state of states)
      documents.set({ state }, status.documents.filter(({ serving }) => serving === state).length);
    if (status.store !== undefined) redis.set(status.store.isUp ? 1 : 0);
    updateKeys(keys, keyAge, status);
    if (status.revocations !== undefined) updateRevocations(status.revocations);
  };
}

function updateKeys(keys: Gauge, keyAge: Gauge, { providers }: ServiceStatus): void {
  // A provider that is gone must not be reported for ever.
  keys.reset();
  keyAge.reset();
  for (const { key: provider, keys: count, keyAgeSeconds } of providers) {
    keys.set({ provider }, count);
    if (keyAgeSeconds !== undefined) keyAge.set({ provider }, keyAgeSeconds);
  }
}

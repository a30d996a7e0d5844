import { introspectionResults, passwordCheckResults, type IdentityEvents } from '../core/ports.ts';
import type { MetricRegistry } from './metric-registry.ts';

/** Counts what happens to tokens and keys. */
export function createIdentityMetrics(registry: MetricRegistry): IdentityEvents {
  const cache = registry.counter('portcullis_token_cache_requests_total');
  const fetches = registry.counter('portcullis_key_fetches_total');
  const duration = registry.histogram('portcullis_key_fetch_duration_seconds');
  const introspections = registry.counter('portcullis_introspection_requests_total');
  const introspectionDuration = registry.histogram('portcullis_introspection_duration_seconds');
  const passwords = registry.counter('portcullis_password_checks_total');
  for (const result of passwordCheckResults) passwords.inc({ result }, 0);
  const tallies = { hit: registry.tally(cache, { result: 'hit' }), miss: registry.tally(cache, { result: 'miss' }) };
  return {
    tokenCache: (result) => tallies[result].inc(),
    keyFetch(provider, result, durationMs) {
      // Both from zero on, so that the first failure is an increase.
      fetches.inc({ provider, result: 'ok' }, result === 'ok' ? 1 : 0);
      fetches.inc({ provider, result: 'failed' }, result === 'failed' ? 1 : 0);
      duration.observe({ provider }, durationMs / 1000);
    },
    introspection(provider, result, durationMs) {
      for (const one of introspectionResults) introspections.inc({ provider, result: one }, result === one ? 1 : 0);
      if (result !== 'skipped') introspectionDuration.observe({ provider }, durationMs / 1000);
    },
    passwordCheck: (result) => passwords.inc({ result }),
  };
}

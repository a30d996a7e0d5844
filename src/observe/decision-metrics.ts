import type { DecisionSink } from '../core/ports.ts';
import { reasons, type ReasonCode } from '../core/reason.ts';
import type { MetricRegistry } from './metric-registry.ts';

/** Counts decisions and how long they took. A record binds no labels and allocates nothing of its own. */
export function createDecisionMetrics(registry: MetricRegistry): DecisionSink {
  const decisions = registry.counter('portcullis_decisions_total');
  const duration = registry.timing('portcullis_check_duration_seconds').series({});
  // From zero on, so that the first of a kind is an increase.
  const allowed = registry.tally(decisions, { decision: 'allow', code: 'ok' });
  const denied = new Map(
    (Object.keys(reasons) as ReasonCode[]).map((code) => [code, registry.tally(decisions, { decision: 'deny', code })]),
  );
  return {
    record(decision, _request, durationMs) {
      duration.observe(durationMs / 1000);
      if (decision.kind === 'allow') allowed.inc();
      else denied.get(decision.denial.code)?.inc();
    },
  };
}

import type { ExpressionEvents } from '../core/ports.ts';
import type { MetricRegistry } from './metric-registry.ts';

/** Counts the evaluations of expressions that gave no value. */
export function createExpressionMetrics(registry: MetricRegistry): ExpressionEvents {
  const errors = registry.counter('portcullis_expression_errors_total');
  const tallies = {
    condition: registry.tally(errors, { place: 'condition' }),
    denied_rule: registry.tally(errors, { place: 'denied_rule' }),
    header: registry.tally(errors, { place: 'header' }),
    kubernetes: registry.tally(errors, { place: 'kubernetes' }),
  };
  return { expressionFailed: (place) => tallies[place].inc() };
}

import { reviewKinds, reviewResults, type ReviewEvents } from '../core/ports.ts';
import type { MetricRegistry } from './metric-registry.ts';

/** Counts the questions to the API server that requests waited for. */
export function createReviewMetrics(registry: MetricRegistry): ReviewEvents {
  const reviews = registry.counter('portcullis_kubernetes_reviews_total');
  const duration = registry.histogram('portcullis_kubernetes_review_duration_seconds');
  // All from zero on, so that the first failure is an increase.
  for (const review of reviewKinds) for (const result of reviewResults) reviews.inc({ review, result }, 0);
  return {
    reviewed: (review, result, durationMs) => {
      reviews.inc({ review, result });
      if (result !== 'skipped') duration.observe({ review }, durationMs / 1000);
    },
  };
}

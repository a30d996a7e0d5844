import { addCounts, type MetricSnapshot } from '../../observe/merge-metrics.ts';

/** What workers counted that are gone: without it the sum of all would go down. What was counted after they were asked last is lost. */
export interface WorkerMetrics {
  gone(): Promise<readonly MetricSnapshot[]>;
  leave(metrics: readonly MetricSnapshot[]): void;
}

export function createWorkerMetrics(): WorkerMetrics {
  let gone: readonly MetricSnapshot[] = [];
  let last: Promise<void> = Promise.resolve();
  return {
    gone: () => last.then(() => gone),
    leave: (metrics) => {
      last = last.then(async () => {
        gone = await addCounts(gone, metrics);
      });
    },
  };
}

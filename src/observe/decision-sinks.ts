import type { DecisionSink } from '../core/ports.ts';

/** One sink that tells all of them. A sink that throws neither changes a decision nor keeps it from the others; `onError` is told. */
export function combineSinks(sinks: readonly DecisionSink[], onError: (thrown: unknown) => void): DecisionSink {
  return {
    record(decision, request, durationMs) {
      for (const sink of sinks) {
        try {
          sink.record(decision, request, durationMs);
        } catch (thrown) {
          onError(thrown);
        }
      }
    },
  };
}

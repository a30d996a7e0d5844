import { expect, test } from 'vitest';
import type { DecisionSink } from '../../../src/core/ports.ts';
import { combineSinks } from '../../../src/observe/decision-sinks.ts';
import { allowed, request } from './observe-fixtures.ts';

test('a sink that throws keeps nothing from the others, and is told', () => {
  const seen: string[] = [];
  const failing: DecisionSink = {
    record: () => {
      throw new TypeError('full');
    },
  };
  const working: DecisionSink = {
    record: (decision, read, durationMs) => void seen.push(`${decision.kind} ${read?.path} ${durationMs}`),
  };
  const errors: unknown[] = [];
  combineSinks([failing, working], (thrown) => errors.push(thrown)).record(allowed(), request(), 2);
  expect(seen).toEqual(['allow /orders/17 2']);
  expect(errors).toEqual([new TypeError('full')]);
});

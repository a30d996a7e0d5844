import { expect } from 'vitest';
import type { Decision } from '../../src/core/decision.ts';
import type { Expectation } from '../../src/policy-test/policy-test.ts';

/** Holds a decision of the engine against what a case expects. */
export function expectDecision(decision: Decision, expected: Expectation): void {
  const seen =
    decision.kind === 'allow'
      ? { decision: 'allow' }
      : { decision: 'deny', status: decision.status, code: decision.denial.code };
  const { decision: kind, status, code } = expected;
  expect({ ...seen, message: decision.kind === 'deny' ? decision.denial.message : undefined }).toMatchObject({
    decision: kind,
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code }),
  });
  if (expected.policy !== undefined) expect(decision.about.policy).toBe(expected.policy);
  if (expected.rule !== undefined) expect(decision.about.rule).toBe(expected.rule);
  if (expected.challenge !== undefined) {
    expect(decision.kind === 'deny' ? decision.denial.challenges.join(', ') : '').toContain(expected.challenge);
  }
  if (expected.responseHeaders !== undefined) {
    expect(Object.fromEntries(decision.responseHeaders)).toMatchObject(expected.responseHeaders);
  }
  if (decision.kind !== 'allow') return;
  if (expected.upstreamHeaders !== undefined) {
    expect(Object.fromEntries(decision.upstream.setHeaders)).toMatchObject(expected.upstreamHeaders);
  }
  for (const name of expected.removedHeaders ?? []) expect(decision.upstream.removeHeaders).toContain(name);
}

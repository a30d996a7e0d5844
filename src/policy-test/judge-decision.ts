import type { Decision, HeaderEntry } from '../core/decision.ts';
import type { Expectation } from './policy-test.ts';

/** What of the decision is not as expected, a clause each; empty where all is. */
export function judgeDecision(decision: Decision, expected: Expectation): readonly string[] {
  const denied = decision.kind === 'deny';
  const { about } = decision;
  const challenge = denied ? decision.denial.challenges.join(', ') : '';
  return [
    ...different('decision', expected.decision, decision.kind),
    ...different('status', expected.status, denied ? decision.status : 200),
    ...different('code', expected.code, denied ? decision.denial.code : 'ok'),
    ...different('policy', expected.policy, about.policy),
    ...different('rule', expected.rule, about.rule),
    ...(expected.challenge === undefined || challenge.includes(expected.challenge)
      ? []
      : [`challenge: expected one with ${expected.challenge}, got ${challenge || 'none'}`]),
    ...differentHeaders('response header', expected.responseHeaders, decision.responseHeaders),
    ...(denied ? [] : differentHeaders('upstream header', expected.upstreamHeaders, decision.upstream.setHeaders)),
    ...(denied ? [] : missing(expected.removedHeaders ?? [], decision.upstream.removeHeaders)),
  ];
}

function different(what: string, expected: string | number | undefined, got: string | number): string[] {
  if (expected === undefined || expected === got) return [];
  return [`${what}: expected ${shown(expected)}, got ${shown(got)}`];
}

function shown(value: string | number): string {
  return value === '' ? 'none' : String(value);
}

function differentHeaders(
  what: string,
  expected: Readonly<Record<string, string>> = {},
  got: readonly HeaderEntry[],
): string[] {
  const values = new Map(got);
  return Object.entries(expected).flatMap(([name, value]) =>
    values.get(name) === value ? [] : [`${what} ${name}: expected ${shown(value)}, got ${values.get(name) ?? 'none'}`],
  );
}

function missing(expected: readonly string[], removed: readonly string[]): string[] {
  return expected.flatMap((name) => (removed.includes(name) ? [] : [`removed header ${name}: it is not removed`]));
}

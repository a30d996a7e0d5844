import type { Problem } from '../core/problem.ts';
import type { TestedCase } from '../policy-test/run-policy-test.ts';

export type { TestedCase } from '../policy-test/run-policy-test.ts';

/** What `portcullis test` found. */
export interface PolicyTestReport {
  readonly tests: readonly PolicyTestOutcome[];
  readonly passed: number;
  readonly failed: number;
}

export interface PolicyTestOutcome {
  /** The file as the user named it; `-` is standard input. */
  readonly source: string;
  readonly name: string;
  readonly cases: readonly TestedCase[];
  /** Of the policies: what was refused is not in force. */
  readonly problems: readonly Problem[];
}

/**
 * Runs the PolicyTests of files and folders (`-`: standard input), offline. Throws a Failure `tests_unusable` for tests that cannot be run, its
 * message a line each with its place.
 */
export type TestPolicies = (paths: readonly string[], stdin: () => Promise<string>) => Promise<PolicyTestReport>;

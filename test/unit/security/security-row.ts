/** What must hold, and the tests that show it. The checklist is written in specifications; here is where to look. */
export interface SecurityRow {
  /** The attack, or what a specification demands. */
  readonly row: string;
  /** What must come of it. */
  readonly expected: string;
  /** Each a file below `test`, and a text that stands in it: the title of a test, or of a row in its table. */
  readonly tests: readonly (readonly [file: string, title: string])[];
}

export const identity = 'unit/identity';
export const table = `${identity}/security-table.test.ts`;
export const vectors = `${identity}/published-vectors.test.ts`;
export const malformed = `${identity}/signature-malformations.test.ts`;
export const faults = `${identity}/remote-faults.test.ts`;
export const floods = `${identity}/floods.test.ts`;
export const clocks = `${identity}/clock-steps.test.ts`;
export const keys = `${identity}/key-cache.test.ts`;
export const dpop = `${identity}/dpop.test.ts`;
export const binding = `${identity}/judge-binding.test.ts`;
export const decisions = 'decisions/security-rows.yaml';

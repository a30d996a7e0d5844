import { quote, type FieldPath, type ProblemList } from './problem-list.ts';

const pointer = /^(\/([^~/]|~[01])*)+$/;

/** A Problem where a claim's name begins with `/` and is no JSON Pointer (RFC 6901 3: every `~` is `~0` or `~1`). */
export function checkClaimName(name: string, at: FieldPath, problems: ProblemList): void {
  if (name.startsWith('/') && !pointer.test(name)) {
    problems.error('invalid-value', at, `${quote(name)} is no JSON Pointer: write ~0 for ~ and ~1 for /`);
  }
}

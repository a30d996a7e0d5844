import type { Problem, ProblemCode } from '../core/problem.ts';
import { createPatternBudget, type PatternBudget } from '../std/pattern-budget.ts';
import type { AuthorDocument } from './spec.ts';

export type FieldPath = readonly (string | number)[];

/** Gathers the Problems of one document, each with its place. */
export interface ProblemList {
  readonly all: readonly Problem[];
  /** `reference`: the key of the document that is missing, where that is the mistake. */
  error(code: ProblemCode, path: FieldPath, message: string, reference?: string): void;
  warning(code: ProblemCode, path: FieldPath, message: string): void;
  hasError(): boolean;
  /** What is left for the regular expressions of the document: of paths, and of all its expressions. */
  readonly patterns: PatternBudget;
}

/** A document can have thousands of mistakes; nobody reads more than these. */
const maxProblems = 50;
/** Some 100 ms to compile all regular expressions of a document, and 2 MB. A thousand simple ones, hundreds of usual ones. */
const workOfPatterns = 2_000_000;

/** `first`: those that it begins with, by default the document's own. */
export function createProblemList(
  document: Pick<AuthorDocument, 'problems' | 'placeOf'>,
  first: readonly Problem[] = document.problems,
): ProblemList {
  const all: Problem[] = [...first];
  let errors = all.filter(({ severity }) => severity === 'error').length;
  const add = (problem: Omit<Problem, 'field' | 'place'>, path: FieldPath): void => {
    if (problem.severity === 'error') errors += 1;
    if (all.length >= maxProblems) return;
    all.push({ ...problem, field: formatFieldPath(path), place: document.placeOf(path) });
  };
  return {
    all,
    error: (code, path, message, reference) =>
      add({ code, severity: 'error', message, ...(reference === undefined ? {} : { reference }) }, path),
    warning: (code, path, message) => add({ code, severity: 'warning', message }, path),
    hasError: () => errors > 0,
    patterns: createPatternBudget(workOfPatterns),
  };
}

/** `spec.rules[0].access`. */
export function formatFieldPath(path: FieldPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** What a person is shown of a value that was written: quoted, control characters escaped, cut short. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}

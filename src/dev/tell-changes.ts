import { relative } from 'node:path';
import type { Problem } from '../core/problem.ts';
import type { DocumentStatus, ServiceStatus } from '../core/status.ts';

export interface TellChangesOptions {
  readonly status: () => ServiceStatus;
  /** Where the user is: files are named so that they can be opened from there. */
  readonly folder: string;
  readonly print: (line: string) => void;
}

const pollMs = 100;
/** A file can have many mistakes; the first ones are enough to go on. */
const maxProblems = 5;

/** Prints what becomes of each change of the policies, until it is closed. */
export function tellChanges({ status, folder, print }: TellChangesOptions): { close(): void } {
  let before = status();
  const timer = setInterval(() => {
    const after = status();
    for (const line of linesOfChange(before, after, folder)) print(line);
    before = after;
  }, pollMs);
  return { close: () => clearInterval(timer) };
}

/** A line for each new mistake; where there is none, that the revision is in force; nothing where the revision is the same. */
export function linesOfChange(before: ServiceStatus, after: ServiceStatus, folder: string): readonly string[] {
  if (after.revision === before.revision) return [];
  const refusals = refusalsOf(after, folder);
  const known = new Set(refusalsOf(before, folder));
  const fresh = refusals.filter((line) => !known.has(line));
  if (fresh.length > maxProblems) return [...fresh.slice(0, maxProblems), `and ${fresh.length - maxProblems} more`];
  if (fresh.length > 0) return fresh;
  const rest = refusals.length > 0 ? ', without what is still refused' : '';
  return [`revision ${after.revision} is in force${rest}`];
}

function refusalsOf({ documents, problems }: ServiceStatus, folder: string): readonly string[] {
  const ofDocuments = documents
    .filter(({ accepted }) => !accepted)
    .flatMap((document) => errorsOf(document.problems).map((problem) => [problem, consequenceOf(document)] as const));
  const ofFiles = errorsOf(problems).map((problem) => [problem, 'what was in force stays in force'] as const);
  return [...ofDocuments, ...ofFiles].map(([{ place, message }, consequence]) => {
    const near = relative(folder, place.source);
    const file = near.startsWith('..') ? place.source : near;
    const where = place.line === undefined ? file : `${file}:${place.line}:${place.column ?? 1}`;
    return `${where}: ${message}; ${consequence}`;
  });
}

function errorsOf(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(({ severity }) => severity === 'error');
}

function consequenceOf({ serving, kind }: DocumentStatus): string {
  switch (serving) {
    case 'last-good':
    case 'current':
      return 'the version before stays in force';
    case 'refused':
      return kind.endsWith('Provider') ? 'nobody is known by it' : 'what it would govern is denied';
  }
}

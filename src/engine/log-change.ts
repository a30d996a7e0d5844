import type { Logger } from '../core/ports.ts';
import { formatProblem, type Problem } from '../core/problem.ts';
import { formatTarget, type DocumentStatus, type HostConflict } from '../core/status.ts';
import { isMissing, isSameStanding, type StatusChange, type StatusTally } from './status-board.ts';

/** One document can refuse thousands of others: a log with a line for each would hide the one that matters. */
const maxLines = 100;

export interface LoggedChange {
  readonly revision: number;
  readonly statuses: readonly StatusChange[];
  /** Problems that belong to no document, where they are others than before. */
  readonly problems: readonly Problem[];
  readonly tally: StatusTally;
}

/** One line for each document whose standing or Problems changed, and one for the change as a whole. */
export function logChange(logger: Logger, { revision, statuses, problems, tally }: LoggedChange): void {
  const worth = statuses.filter(isWorthALine);
  for (const { after } of worth.slice(0, maxLines)) if (after !== undefined) logDocument(logger, after);
  if (worth.length > maxLines)
    logger.warn({ documents: worth.length - maxLines }, 'and more documents; the status has all');
  for (const problem of problems) logger.warn({ problem: formatProblem(problem) }, 'a document cannot be used');
  const { documents, refused, deciding } = tally;
  logger.info({ revision, documents, refused }, 'policies are in force');
  if (deciding === 0) logger.warn({ revision }, 'no policy is in force: every request is denied');
}

/** A document that is good, and was, is no news. */
function isWorthALine({ before, after }: StatusChange): boolean {
  if (after === undefined || (before !== undefined && isSameStanding(before, after))) return false;
  const isGood = (status: DocumentStatus): boolean => status.accepted && status.conflicts.length === 0;
  return (
    after.problems.length > 0 ||
    after.targets.some(isMissing) ||
    !isGood(after) ||
    (before !== undefined && !isGood(before))
  );
}

function logDocument(logger: Logger, status: DocumentStatus): void {
  const { key, serving, accepted, problems, conflicts } = status;
  const missing = status.targets.filter(isMissing).map(formatTarget);
  const targets = missing.length === 0 ? {} : { missing };
  const fields = { document: key, serving, problems: problems.map(formatWithField), ...targets };
  if (!accepted) logger.warn({ ...fields, ...told(conflicts) }, 'a document is refused');
  else if (conflicts.length > 0)
    logger.warn({ ...fields, ...told(conflicts) }, 'a policy does not own all of its hosts');
  else logger.info(fields, 'a document is accepted');
}

/** An object of a cluster has no lines: the field is the place in it. */
function formatWithField(problem: Problem): string {
  const { place, field } = problem;
  if (place.line !== undefined || field === '') return formatProblem(problem);
  return formatProblem({ ...problem, place: { ...place, source: `${place.source}: ${field}` } });
}

function told(conflicts: readonly HostConflict[]): { readonly conflicts?: readonly string[] } {
  if (conflicts.length === 0) return {};
  return {
    conflicts: conflicts.map(({ host, owner }) => `${host} (${owner === undefined ? 'not granted' : `of ${owner}`})`),
  };
}

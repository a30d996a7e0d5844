import { formatProblem } from '../core/problem.ts';
import type { DocumentStatus, TargetStatus } from '../core/status.ts';
import type { RouteSpec } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';
import { toDocumentStatus } from './catalog.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { isNameless } from './claims.ts';
import type { EntryChanges } from './entry-index.ts';
import { unjudgedWarnings } from './warn-unjudged.ts';

/** What is told of each document, kept up to date change by change, so that asking costs little. */
export interface StatusBoard {
  document(key: string): DocumentStatus | undefined;
  /** All, by key. */
  documents(): readonly DocumentStatus[];
  tally(): StatusTally;
  /** Finds out whose status changes. Nothing is changed by it until `commit`. */
  prepare(changes: EntryChanges, beside: StatusBeside): Steps<PreparedStatuses>;
}

/** What the status of a document says besides what its entry does. */
export interface StatusBeside {
  readonly route: (key: string) => RouteSpec | undefined;
  /** The places at which a policy in shadow mode is not judged, by its key. */
  readonly unjudged: (key: string) => readonly string[] | undefined;
}

export interface PreparedStatuses {
  readonly changes: readonly StatusChange[];
  commit(): void;
}

export interface StatusChange {
  readonly key: string;
  readonly before: DocumentStatus | undefined;
  readonly after: DocumentStatus | undefined;
}

export interface StatusTally {
  readonly documents: number;
  readonly refused: number;
  /** Policies by which a request could be allowed. */
  readonly deciding: number;
}

export function createStatusBoard(): StatusBoard {
  const statuses = new Map<string, DocumentStatus>();
  const deciding = new Set<string>();
  const refused = new Set<string>();
  let sorted: readonly DocumentStatus[] | undefined;
  return {
    document: (key) => statuses.get(key),
    documents: () => (sorted ??= [...statuses.values()].sort((a, b) => (a.key < b.key ? -1 : 1))),
    tally: () => ({ documents: statuses.size, refused: refused.size, deciding: deciding.size }),
    *prepare(changes, beside) {
      const told: StatusChange[] = [];
      const next = new Map<string, DocumentStatus | undefined>();
      for (const [key, entry] of changes) {
        const before = statuses.get(key);
        if (entry !== undefined && isNameless(entry)) continue;
        const after = entry && toStatus(entry, beside);
        next.set(key, after);
        if (!isSameStatus(before, after)) told.push({ key, before, after });
        yield;
      }
      const commit = (): void => {
        for (const [key, status] of next) {
          const entry = changes.get(key);
          if (status === undefined) statuses.delete(key);
          else statuses.set(key, status);
          put(refused, key, status?.accepted === false);
          put(deciding, key, entry !== undefined && isDeciding(entry));
        }
        if (next.size > 0) sorted = undefined;
      };
      return { changes: told, commit };
    },
  };
}

function toStatus(entry: CatalogEntry, { route, unjudged }: StatusBeside): DocumentStatus {
  const status = toDocumentStatus(entry, route);
  const warnings = unjudgedWarnings(entry, unjudged(entry.key));
  return warnings.length === 0 ? status : { ...status, problems: [...status.problems, ...warnings] };
}

function put(set: Set<string>, key: string, isIn: boolean): void {
  if (isIn) set.add(key);
  else set.delete(key);
}

/** A floor only restricts, a policy in shadow mode only watches, and one without a host governs nothing: none lets a request through. */
function isDeciding({ inForce }: CatalogEntry): boolean {
  if (inForce?.kind !== 'AccessPolicy' || inForce.mode === 'Shadow') return false;
  return inForce.attachment !== 'Hosts' || inForce.hosts.length > 0;
}

function isSameStatus(a: DocumentStatus | undefined, b: DocumentStatus | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    isSameStanding(a, b) &&
    a.servedGeneration === b.servedGeneration &&
    a.version?.uid === b.version?.uid &&
    a.version?.generation === b.version?.generation &&
    JSON.stringify(a.targets) === JSON.stringify(b.targets)
  );
}

/** True where nothing is to be told of the document but that it has another version. */
export function isSameStanding(a: DocumentStatus, b: DocumentStatus): boolean {
  const tell = ({ problems, conflicts, targets }: DocumentStatus): string =>
    JSON.stringify([problems.map(formatProblem), conflicts, targets.filter(isMissing)]);
  if (a.serving !== b.serving || a.accepted !== b.accepted) return false;
  const isQuiet = ({ problems, conflicts, targets }: DocumentStatus): boolean =>
    problems.length + conflicts.length === 0 && !targets.some(isMissing);
  return (isQuiet(a) && isQuiet(b)) || tell(a) === tell(b);
}

/** True for a route, or a rule of one, that is not there. */
export function isMissing({ found }: TargetStatus): boolean {
  return found !== 'found';
}

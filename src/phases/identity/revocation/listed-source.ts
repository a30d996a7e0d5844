import type { Clock, Logger } from '../../../core/ports.ts';
import type {
  Revocation,
  RevocationListHandle,
  RevocationListReading,
  RevocationSourceStatus,
} from '../../../core/revocation.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import { runAtOnce, runInSlices, type Pace, type Steps } from '../../../std/steps.ts';
import type { CredentialNames } from './credential-names.ts';
import { createReadState, type ReadState } from './read-state.ts';
import { createRevocationTable, type RevocationTable } from './revocation-table.ts';
import type { RevocationSettings } from './revocation-settings.ts';
import { createRoom } from './room.ts';
import { scopeKey } from './scope-key.ts';

/** A list that somebody else keeps (a file, a ConfigMap) and that is read as a whole. */
export interface ListedSource extends RevocationListHandle {
  revokes(scopes: readonly string[], names: () => CredentialNames): boolean;
  failure(): string | undefined;
  status(): RevocationSourceStatus;
  sweep(count: number): void;
}

export interface ListedSourceOptions {
  readonly source: 'file' | 'configMap';
  readonly settings: RevocationSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly skew: () => number;
  /** Undefined: nobody else waits. */
  readonly pace: Pace | undefined;
}

/** Once each, by all that they say. */
type Entries = ReadonlyMap<string, Revocation>;

/** How long what is missing from a file has to be missing: whoever writes in place empties it first. A server gives a ConfigMap as a whole. */
const standsMs = 1000;

/**
 * A mistake in the list takes nothing away: what is in force stays so beside what can be read. A list that was never whole, or for which there is
 * no room, is one that cannot be read.
 */
export function createListedSource(options: ListedSourceOptions): ListedSource {
  const list = new FollowedList(options);
  return {
    take: (reading, ageMs) => list.take(reading, ageMs),
    confirm: () => list.confirm(),
    fail: (why) => list.fail(why),
    revokes: (scopes, names) => list.inForce.table.revokes(scopes, names),
    failure: () => list.failure(),
    status: () => list.status(),
    sweep: (count) => list.inForce.table.sweep(count),
  };
}

class FollowedList {
  inForce: Held;
  readonly #options: ListedSourceOptions;
  readonly #state: ReadState;
  #wasWhole = false;
  #problem: string | undefined;
  /** Why what was read last is not in force as a whole. */
  #unusable: string | undefined;
  /** A whole list that lacks something of what is in force. */
  #leaner: { readonly entries: Entries; readonly since: number } | undefined;
  #tail: Promise<void> = Promise.resolve();

  constructor(options: ListedSourceOptions) {
    this.#options = options;
    this.#state = createReadState(options.clock, options.settings.graceMs);
    this.inForce = { entries: new Map(), table: createTable(1, options) };
  }

  take(reading: Steps<RevocationListReading>, ageMs = 0): Promise<void> {
    return this.#run(this.#taking(reading, this.#options.clock.monotonic() - ageMs));
  }

  confirm(): void {
    const leaner = this.#leaner;
    if (leaner !== undefined && this.#options.clock.monotonic() - leaner.since >= standsMs) {
      this.#leaner = undefined;
      void this.#run(this.#holding(leaner.entries, undefined));
    }
    if (this.#wasWhole) this.#state.confirm();
  }

  fail(why: string): void {
    this.#state.fail(why);
    const { source, logger } = this.#options;
    logger.warn({ source, error: why }, 'the list of revocations cannot be read');
  }

  failure(): string | undefined {
    return this.#unusable ?? this.#state.failure();
  }

  status(): RevocationSourceStatus {
    const { source } = this.#options;
    return { source, entries: this.inForce.table.size, failure: this.failure(), problem: this.#problem };
  }

  /** One after the other; where nobody else waits it is done when this returns. Never rejects. */
  #run(work: Steps<void>): Promise<void> {
    const { pace } = this.#options;
    if (pace === undefined) runAtOnce(work);
    else this.#tail = this.#tail.then(() => runInSlices(work, pace)).catch((thrown: unknown) => this.#broken(thrown));
    return this.#tail;
  }

  /** Nothing of it is in force, so it is none that was read. */
  #broken(thrown: unknown): void {
    this.#unusable = 'it could not be taken in';
    this.#options.logger.error(thrownFields(thrown), 'a list of revocations could not be taken in');
  }

  /** `readAt`: monotonic. */
  *#taking(reading: Steps<RevocationListReading>, readAt: number): Steps<void> {
    const { source, clock } = this.#options;
    const { entries: read, problem } = yield* reading;
    const entries = yield* byContent(read);
    const isLeaner = problem === undefined && source === 'file' && (yield* lacksSome(this.inForce.entries, entries));
    this.#leaner = isLeaner ? { entries, since: clock.monotonic() } : undefined;
    const isMore = isLeaner || problem !== undefined;
    yield* this.#holding(isMore ? yield* byContent(this.inForce.entries.values(), read) : entries, problem, isMore);
    // Not before it is in force: meanwhile it may be found to be as it was.
    this.#wasWhole ||= problem === undefined;
    if (this.#wasWhole) this.#state.confirm(clock.monotonic() - readAt);
    else this.#state.fail(problem ?? '');
  }

  /** What is there beside what is to go may be twice as much as else. */
  *#holding(entries: Entries, found: string | undefined, isMore = false): Steps<void> {
    const { source, settings, logger } = this.#options;
    const table = createTable(settings.maxEntries * (isMore ? 2 : 1), this.#options);
    const outcomes = new Set<string>();
    for (const entry of entries.values()) {
      outcomes.add(table.add(entry, 'widen'));
      yield;
    }
    this.inForce = { entries, table };
    const room = `there is room for ${settings.maxEntries} entries`;
    this.#unusable = outcomes.has('full') ? `${room}, and the list has more` : undefined;
    const widened = outcomes.has('widened') ? `${room}: issuers are revoked as a whole` : undefined;
    const problem = found ?? this.#unusable ?? widened;
    if (problem !== undefined && problem !== this.#problem)
      logger.error({ source, problem }, 'the list of revocations has entries that cannot be taken as they are');
    else logger.info({ source, entries: table.size }, 'the list of revocations was read');
    this.#problem = problem;
  }
}

/** Entries, and the table that has them. */
interface Held {
  readonly entries: Entries;
  readonly table: RevocationTable;
}

function createTable(maxEntries: number, { clock, skew }: ListedSourceOptions): RevocationTable {
  return createRevocationTable({ room: createRoom(maxEntries, 'no shares'), clock, skew });
}

function* byContent(...lists: readonly Iterable<Revocation>[]): Steps<Entries> {
  const entries = new Map<string, Revocation>();
  for (const list of lists) {
    for (const entry of list) {
      const { scope, target, value, issuedBefore, expiresAt } = entry;
      // None of them holds a control character.
      entries.set([scopeKey(scope), target, value, issuedBefore, expiresAt].join('\n'), entry);
      yield;
    }
  }
  return entries;
}

function* lacksSome(known: Entries, entries: Entries): Steps<boolean> {
  for (const key of known.keys()) {
    if (!entries.has(key)) return true;
    yield;
  }
  return false;
}

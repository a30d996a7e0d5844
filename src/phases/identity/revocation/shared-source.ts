import { Failure } from '../../../core/failure.ts';
import type { Clock, Logger, SharedList } from '../../../core/ports.ts';
import type { Revocation, RevocationSource, RevocationSourceStatus, Signal } from '../../../core/revocation.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import { runAtOnce, runInSlices, type Pace, type Steps } from '../../../std/steps.ts';
import type { CredentialNames } from './credential-names.ts';
import { createReadState } from './read-state.ts';
import { createRevocationTable, type RevocationTable } from './revocation-table.ts';
import type { RevocationSettings } from './revocation-settings.ts';
import { createRoom, type Room } from './room.ts';
import { ownerOf } from './scope-key.ts';
import { readShared, toSharedRevocation, toSharedSignal, type ReadShared } from './shared-entry.ts';
import { isLasting, type SignalTable } from './signal-table.ts';

/** What replicas share, ready to be looked up. */
export interface SharedSource {
  /** Where it came from that somebody of these names is revoked, `shared` where that is not told; undefined where nobody said so. */
  revokedBy(scopes: readonly string[], names: () => CredentialNames): RevocationSource | undefined;
  /** `shared` once every replica that can read the store has them; `full` where there is no room for all, and none was shared. Never rejects. */
  add(
    source: RevocationSource,
    revocations: readonly EndingRevocation[],
    signals: readonly Signal[],
    whenFull: 'refuse' | 'widen',
  ): Promise<'shared' | 'full' | 'not-shared'>;
  /** Why it says nothing of who is not on it, for the providers of a namespace, or, empty, of the cluster. */
  failure(namespace: string): string | undefined;
  status(): RevocationSourceStatus;
  /** Resolves once all that the list holds is taken in. */
  whenTaken(): Promise<void>;
  /** Looks whether the list can be read, and at the next so many entries. */
  sweep(count: number): void;
  close(): void;
}

export type EndingRevocation = Revocation & { readonly expiresAt: number };

export interface SharedSourceOptions {
  readonly list: SharedList;
  readonly settings: RevocationSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly skew: () => number;
  /** Undefined: nobody else waits. */
  readonly pace: Pace | undefined;
  /** Where shared signals go. */
  readonly signals: SignalTable;
}

/** Clocks of replicas differ, and the store goes by its own, milliseconds. */
const marginMs = 600_000;
/** 9999-12-31: of what holds until the contrary is said, which has to be there as long. */
const farEndMs = 253_402_300_799_000;
/** Of what found no room, at each sweep. */
const retriedAtOnce = 200;
/** Kept free in the list, for what several replicas put there at once. */
const listReserve = 1 / 100;

export function createSharedSource(options: SharedSourceOptions): SharedSource {
  const shared = new SharedEntries(options);
  return {
    revokedBy: (scopes, names) => shared.revokedBy(scopes, names),
    add: (...given) => shared.add(...given),
    failure: (namespace) => shared.failure(namespace),
    status: () => shared.status(),
    whenTaken: () => shared.whenTaken(),
    sweep: (count) => shared.sweep(count),
    close: () => shared.close(),
  };
}

class SharedEntries {
  /** By where what is in them came from. */
  readonly #tables = new Map<RevocationSource, RevocationTable>();
  readonly #options: SharedSourceOptions;
  readonly #state: ReturnType<typeof createReadState>;
  /** Of the list in the store, which is not as long as the table may be. */
  readonly #listRoom: Room;
  /** The entries that were taken in, by their text: whose they are; undefined: they cannot be read. */
  readonly #known = new Map<string, string | undefined>();
  #unreadable = 0;
  /** Entries that found no room in the table, by their text: whose they are; and how many each has. */
  readonly #homeless = new Map<string, string>();
  readonly #homelessOf = new Map<string, number>();
  #waiting: string[] = [];
  #isTaking = false;
  #whenTaken: (() => void)[] = [];
  readonly #stop: () => void;

  constructor(options: SharedSourceOptions) {
    const { list, settings, clock } = options;
    this.#options = options;
    this.#state = createReadState(clock, settings.graceMs);
    this.#listRoom = createRoom(Math.floor(list.maxEntries * (1 - listReserve)), 'shares');
    this.#stop = list.onChange(({ added, ended }) => {
      for (const text of ended) this.#forget(text);
      this.#take(added);
    });
    this.#take([...list.entries.keys()]);
  }

  revokedBy(scopes: readonly string[], names: () => CredentialNames): RevocationSource | undefined {
    for (const [source, table] of this.#tables) if (table.revokes(scopes, names)) return source;
    return undefined;
  }

  async add(
    source: RevocationSource,
    revocations: readonly EndingRevocation[],
    signals: readonly Signal[],
    whenFull: 'refuse' | 'widen',
  ): Promise<'shared' | 'full' | 'not-shared'> {
    const { list, logger } = this.#options;
    const by = list.among === 'workers' ? source : undefined;
    const entries = [
      ...revocations.map((one) => ({
        ...one,
        text: toSharedRevocation(one, by),
        end: one.expiresAt * 1000 + marginMs,
      })),
      ...signals.map((one) => ({ ...one, text: toSharedSignal(one), end: this.#endOf(one) })),
    ];
    // Whoever reads it reads as we do: what we cannot read nobody would apply.
    if (!entries.every(({ text }) => isWhatItSays(text))) {
      logger.error({}, 'revocations could not be shared: they have no form that every replica can read');
      return 'not-shared';
    }
    const fresh = entries.filter(({ text }) => !list.entries.has(text)).map(({ scope }) => ownerOf(scope));
    const owners = new Set(fresh);
    if (![...owners].every((owner) => this.#listRoom.fits(owner, fresh.filter((one) => one === owner).length)))
      return 'full';
    if (!revocations.every((one) => this.#tableOf(by).add(one, whenFull) !== 'full')) return 'full';
    try {
      await Promise.all(entries.map(({ text, end }) => list.add(text, end)));
      return 'shared';
    } catch (thrown) {
      const others = isOfWorkers(thrown) ? 'all workers' : 'the other replicas';
      logger.error(thrownFields(thrown), `revocations could not be shared with ${others}`);
      return 'not-shared';
    }
  }

  failure(namespace: string): string | undefined {
    this.#look();
    if (this.#unreadable > 0) return `${this.#unreadable} of its entries cannot be read`;
    if (this.#homelessOf.has('')) return sayHomeless('');
    return this.#homelessOf.has(namespace) ? sayHomeless(namespace) : this.#state.failure();
  }

  status(): RevocationSourceStatus {
    const [owner] = this.#homelessOf.keys();
    const problem = owner === undefined ? undefined : sayHomeless(owner);
    const entries = [...this.#tables.values()].reduce((sum, { size }) => sum + size, 0);
    return { source: 'shared', entries, failure: this.failure(''), problem };
  }

  whenTaken(): Promise<void> {
    if (!this.#isTaking) return Promise.resolve();
    return new Promise((resolve) => void this.#whenTaken.push(resolve));
  }

  sweep(count: number): void {
    this.#look();
    for (const table of this.#tables.values()) table.sweep(count);
    // Meanwhile there may be room for some of them.
    this.#take([...this.#homeless.keys()].slice(0, retriedAtOnce));
  }

  close(): void {
    this.#stop();
    this.#waiting = [];
    for (const resolve of this.#whenTaken.splice(0)) resolve();
  }

  /** What was read and not yet taken in counts as not read. */
  #look(): void {
    const { list } = this.#options;
    const why = list.unreadable();
    const ageMs = why === undefined ? 0 : list.readAgeMs?.();
    if (!this.#isTaking && ageMs !== undefined) this.#state.confirm(ageMs);
    if (why !== undefined) this.#state.fail(why);
    else if (this.#isTaking) this.#state.fail('not all of it is taken in yet');
  }

  #take(texts: readonly string[]): void {
    for (const text of texts) this.#waiting.push(text);
    const { pace, logger } = this.#options;
    if (this.#isTaking) return;
    if (pace === undefined) {
      runAtOnce(this.#taking());
      return;
    }
    this.#isTaking = true;
    runInSlices(this.#taking(), pace)
      .catch((thrown: unknown) => {
        // Some of it is missing from now on.
        this.#unreadable++;
        logger.error(thrownFields(thrown), 'shared revocations could not be taken in');
      })
      .finally(() => {
        this.#isTaking = false;
        if (this.#waiting.length > 0) this.#take([]);
        else for (const resolve of this.#whenTaken.splice(0)) resolve();
      });
  }

  *#taking(): Steps<void> {
    for (;;) {
      const texts = this.#waiting;
      this.#waiting = [];
      if (texts.length === 0) return;
      for (const text of texts) {
        this.#takeOne(text);
        yield;
      }
    }
  }

  #takeOne(text: string): void {
    const end = this.#options.list.entries.get(text);
    if (end === undefined) return;
    const read = readShared(text);
    if (!this.#known.has(text)) this.#remember(text, read);
    if (read === undefined) return;
    const isKept =
      read.kind === 'revocation'
        ? this.#tableOf(read.by).add({ ...read.revocation, expiresAt: end / 1000 }, 'widen') !== 'full'
        : this.#options.signals.add(read.signal, end / 1000);
    this.#house(text, isKept ? undefined : ownerOf(subjectOf(read).scope));
  }

  #tableOf(source: RevocationSource = 'shared'): RevocationTable {
    const { settings, clock, skew } = this.#options;
    const room = createRoom(settings.maxEntries, source === 'admin' ? 'no shares' : 'shares');
    const table = this.#tables.get(source) ?? createRevocationTable({ room, clock, skew });
    this.#tables.set(source, table);
    return table;
  }

  /** Undefined: it has room, or is gone. */
  #house(text: string, homeless: string | undefined): void {
    const before = this.#homeless.get(text);
    if (before === homeless) return;
    if (before !== undefined) {
      this.#homeless.delete(text);
      const left = (this.#homelessOf.get(before) ?? 0) - 1;
      if (left > 0) this.#homelessOf.set(before, left);
      else this.#homelessOf.delete(before);
    }
    if (homeless === undefined) return;
    this.#homeless.set(text, homeless);
    const count = (this.#homelessOf.get(homeless) ?? 0) + 1;
    this.#homelessOf.set(homeless, count);
    if (count === 1)
      this.#options.logger.error(
        { namespace: homeless },
        'there is no room for all shared revocations: credentials are denied',
      );
  }

  #remember(text: string, read: ReadShared | undefined): void {
    const owner = read && ownerOf(subjectOf(read).scope);
    this.#known.set(text, owner);
    if (owner !== undefined) this.#listRoom.take(owner);
    else if (this.#unreadable++ === 0)
      this.#options.logger.error(
        {},
        'an entry of the shared revocations cannot be read: another version may have written it',
      );
  }

  #forget(text: string): void {
    if (!this.#known.has(text)) return;
    const owner = this.#known.get(text);
    this.#known.delete(text);
    if (owner === undefined) this.#unreadable--;
    else this.#listRoom.giveBack(owner, 1);
    this.#house(text, undefined);
  }

  #endOf(signal: Signal): number {
    const { clock, settings } = this.#options;
    return isLasting(signal) ? farEndMs : clock.now() + settings.signalRetentionMs;
  }
}

/** Only who has workers has a list that fails so. */
function isOfWorkers(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.code === 'worker_silent';
}

function sayHomeless(owner: string): string {
  return owner === ''
    ? 'there is no room for all of it (revocationEntries)'
    : `there is no room for all that the namespace ${owner} has in it (revocationEntries)`;
}

function isWhatItSays(text: string): boolean {
  const read = readShared(text);
  if (read === undefined) return false;
  return (
    text === (read.kind === 'revocation' ? toSharedRevocation(read.revocation, read.by) : toSharedSignal(read.signal))
  );
}

function subjectOf(read: ReadShared): Revocation | Signal {
  return read.kind === 'revocation' ? read.revocation : read.signal;
}

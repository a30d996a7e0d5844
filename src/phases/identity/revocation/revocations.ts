import { denial, type Denial } from '../../../core/decision.ts';
import type { Identity } from '../../../core/identity.ts';
import type { Clock, Logger, SharedList, Timers } from '../../../core/ports.ts';
import type {
  Revocation,
  RevocationControl,
  RevocationOutcome,
  RevocationSource,
  RevocationSourceStatus,
  Signal,
} from '../../../core/revocation.ts';
import type { SpecName } from '../../../policy/spec-name.ts';
import type { Pace } from '../../../std/steps.ts';
import type { VerifyResult } from '../identity-provider.ts';
import { namesOf, type CredentialNames } from './credential-names.ts';
import { createListedSource, type ListedSource } from './listed-source.ts';
import { createRevocationTable, type RevocationTable } from './revocation-table.ts';
import type { RevocationSettings } from './revocation-settings.ts';
import { createRoom } from './room.ts';
import { scopesOf } from './scope-key.ts';
import { createSharedSource, type SharedSource } from './shared-source.ts';
import { createSignalTable, type SignalTable } from './signal-table.ts';

/** Everything that is revoked, and what issuers have signalled beside. */
export interface Revocations extends RevocationControl {
  /** Compiles what stands between a verified identity of the provider and its use. Asked at every request: what it costs is a few look-ups. */
  reviewer(provider: RevocableSpec): Reviewer;
  close(): void;
}

export interface RevocableSpec extends SpecName {
  /** By how much its issuer's clock may be ahead of ours, seconds. Absent: by nothing. */
  readonly clockSkew?: number;
}

/** The identity with what was signalled of it, the very same where nothing was; or a denial. */
export type Reviewer = (verified: Extract<VerifyResult, { identity: Identity }>) => VerifyResult;

export interface RevocationPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Undefined: nothing is shared. */
  readonly shared?: SharedList | undefined;
  /** Lets everybody else have their turn while a long list is taken in; undefined: nobody else waits. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** Of work on a list between two pauses, milliseconds. */
const sliceMs = 2;

const sweepIntervalMs = 1000;
/** Of each table in each interval: some tenths of a millisecond. */
const sweepCount = 2000;

export function createRevocations(settings: RevocationSettings, ports: RevocationPorts): Revocations {
  const world = new RevocationWorld(settings, ports);
  return {
    reviewer: (provider) => compileReviewer(provider, world, settings),
    add: (source, revocations, signals = []) => world.add(source, revocations, signals),
    openList: (source) => world.openList(source),
    whenTaken: () => world.whenTaken(),
    status: () => world.status(),
    close: () => world.close(),
  };
}

function compileReviewer(provider: RevocableSpec, world: RevocationWorld, settings: RevocationSettings): Reviewer {
  world.reckonWith(provider.clockSkew ?? 0);
  let issuer = '';
  let scopes = scopesOf(provider, issuer);
  return (verified) => {
    if (world.isQuiet()) return verified;
    const { identity } = verified;
    if (identity.issuer !== issuer) {
      issuer = identity.issuer;
      scopes = scopesOf(provider, issuer);
    }
    let read: CredentialNames | undefined;
    const names = (): CredentialNames => (read ??= namesOf(identity));
    const revokedBy = world.revokedBy(scopes, names);
    const refused = { provider: identity.provider, subject: identity.subject };
    if (revokedBy !== undefined) return { denial: denial('token_revoked'), refused: { ...refused, revokedBy } };
    const signals = world.signals.find(scopes, names);
    if (signals?.accountDisabled === true)
      return { denial: accountDisabled, refused: { ...refused, revokedBy: 'events' } };
    if (settings.whenUnavailable === 'Deny' && world.unreadable(provider.namespace) !== undefined)
      return { denial: unavailable };
    return signals === undefined ? verified : { ...verified, identity: Object.freeze({ ...identity, signals }) };
  };
}

function whenFull(source: RevocationSource): 'refuse' | 'widen' {
  return source === 'admin' ? 'refuse' : 'widen';
}

const accountDisabled: Denial = denial('token_revoked', 'The account of the credential is disabled.');
const unavailable: Denial = denial('revocations_unavailable');

class RevocationWorld {
  readonly signals: SignalTable;
  readonly #settings: RevocationSettings;
  readonly #ports: RevocationPorts;
  readonly #own = new Map<RevocationSource, RevocationTable>();
  readonly #lists = new Map<RevocationSource, ListedSource>();
  readonly #shared: SharedSource | undefined;
  readonly #pace: Pace | undefined;
  #widened = 0;
  /** The largest of any provider so far, seconds. */
  #skew = 0;
  #cancelSweep: () => void;

  constructor(settings: RevocationSettings, ports: RevocationPorts) {
    const { clock, shared, logger, pause } = ports;
    this.#settings = settings;
    this.#ports = ports;
    this.#pace = pause && { now: () => clock.monotonic(), sliceMs, pause };
    this.signals = createSignalTable(createRoom(settings.maxEntries, 'shares'), clock);
    const common = { settings, clock, logger, skew: this.#skewOf, pace: this.#pace };
    this.#shared = shared && createSharedSource({ ...common, list: shared, signals: this.signals });
    this.#cancelSweep = this.#sweepLater();
  }

  /** Tokens of a provider may be from so many seconds ahead of our clock. */
  reckonWith(skew: number): void {
    this.#skew = Math.max(this.#skew, skew);
  }

  /** True where nothing could be said of anybody. */
  isQuiet(): boolean {
    if (this.#lists.size > 0 || this.#shared !== undefined || this.signals.size > 0) return false;
    for (const table of this.#own.values()) if (table.size > 0) return false;
    return true;
  }

  /** Where it comes from that somebody of these names is revoked; undefined where nobody said so. */
  revokedBy(scopes: readonly string[], names: () => CredentialNames): RevocationSource | undefined {
    for (const [source, table] of this.#own) if (table.revokes(scopes, names)) return source;
    for (const [source, list] of this.#lists) if (list.revokes(scopes, names)) return source;
    return this.#shared?.revokedBy(scopes, names);
  }

  /** Why a list does not count as read for the providers of a namespace, or, empty, of the cluster; undefined where all do. */
  unreadable(namespace: string): string | undefined {
    for (const list of this.#lists.values()) {
      const failure = list.failure();
      if (failure !== undefined) return failure;
    }
    return this.#shared?.failure(namespace);
  }

  async add(
    source: 'admin' | 'logout' | 'events',
    revocations: readonly Revocation[],
    signals: readonly Signal[],
  ): Promise<RevocationOutcome> {
    const ended = revocations.map((revocation) => ({ ...revocation, expiresAt: this.#endOf(revocation) }));
    const kept = this.#keep(source, ended, signals);
    if (kept.kind !== 'kept' || this.#shared === undefined) return kept;
    const shared = await this.#shared.add(source, ended, signals, whenFull(source));
    if (shared === 'full') this.#tellFull(source);
    return shared === 'shared' ? { ...kept, isShared: true } : { kind: shared };
  }

  openList(source: 'file' | 'configMap'): ListedSource {
    const { clock, logger } = this.#ports;
    const list = createListedSource({
      source,
      settings: this.#settings,
      clock,
      logger,
      skew: this.#skewOf,
      pace: this.#pace,
    });
    this.#lists.set(source, list);
    return list;
  }

  async whenTaken(): Promise<void> {
    await this.#shared?.whenTaken();
  }

  status(): ReturnType<RevocationControl['status']> {
    const own = [...this.#own].map(([source, { size }]): RevocationSourceStatus => {
      return { source, entries: size, failure: undefined, problem: undefined };
    });
    const lists = [...this.#lists.values()].map((list) => list.status());
    // What workers share is counted where it came from.
    const isSource = this.#ports.shared?.among === 'replicas';
    const shared = isSource && this.#shared !== undefined ? [this.#shared.status()] : [];
    return { sources: [...own, ...lists, ...shared], signals: this.signals.size, widened: this.#widened };
  }

  close(): void {
    this.#cancelSweep();
    this.#shared?.close();
  }

  /** What comes from an issuer is never refused for want of room where a wider revocation can take its place; an operator is told. */
  #keep(source: RevocationSource, revocations: readonly Revocation[], signals: readonly Signal[]): RevocationOutcome {
    const { clock, logger } = this.#ports;
    const table = this.#own.get(source) ?? this.#createTable(source);
    this.#own.set(source, table);
    const outcomes = new Set(revocations.map((revocation) => table.add(revocation, whenFull(source))));
    const signalsEnd = (clock.now() + this.#settings.signalRetentionMs) / 1000;
    const areSignalled = signals.map((signal) => this.signals.add(signal, signalsEnd)).every(Boolean);
    const isWidened = outcomes.has('widened');
    if (isWidened) {
      this.#widened++;
      logger.error(
        { source, maxEntries: this.#settings.maxEntries },
        'the list of revocations is full: every token of the issuer up to now is revoked in place of single ones',
      );
    }
    if (outcomes.has('full') || !areSignalled) {
      this.#tellFull(source);
      return { kind: 'full' };
    }
    return { kind: 'kept', isShared: false, isWidened };
  }

  #createTable(source: RevocationSource): RevocationTable {
    // An operator writes for everybody; an issuer of one namespace must not use up what others need.
    const room = createRoom(this.#settings.maxEntries, source === 'admin' ? 'no shares' : 'shares');
    return createRevocationTable({ room, clock: this.#ports.clock, skew: this.#skewOf });
  }

  #tellFull(source: RevocationSource): void {
    const { maxEntries } = this.#settings;
    this.#ports.logger.error({ source, maxEntries }, 'the list of revocations is full: one was refused');
  }

  readonly #skewOf = (): number => this.#skew;

  #endOf({ expiresAt }: Revocation): number {
    return expiresAt ?? Math.ceil((this.#ports.clock.now() + this.#settings.retentionMs) / 1000);
  }

  #sweepLater(): () => void {
    return this.#ports.timers.after(sweepIntervalMs, () => {
      for (const table of this.#own.values()) table.sweep(sweepCount);
      for (const list of this.#lists.values()) list.sweep(sweepCount);
      this.#shared?.sweep(sweepCount);
      this.signals.sweep(sweepCount);
      this.#cancelSweep = this.#sweepLater();
    });
  }
}

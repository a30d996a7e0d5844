import { Failure, messageOf } from '../../../core/failure.ts';
import type { Clock, IdentityEvents, Logger, Random, Timers } from '../../../core/ports.ts';
import type { ProviderStatus } from '../identity-provider.ts';
import type { IdentitySettings } from '../identity-settings.ts';
import type { KeyLoader } from './key-loader.ts';
import { describeLeftOut, type KeySet } from './key-set.ts';

/** The keys of one issuer over time. */
export interface KeyCache {
  /** The keys in force; undefined before the first load, and once the last good thorough fetch is further back than the stale window. */
  current(): KeySet | undefined;
  /** Resolves when keys were tried for the first time, well or not. */
  readonly firstLoad: Promise<void>;
  /**
   * Asks for newer keys on behalf of a request: the fetch that is under way, or one of its own; resolves when that ended, well or not.
   * Undefined where none may be made now: the keys do not come from a fetch, or requests caused one within the minimum interval.
   */
  refresh(): Promise<void> | undefined;
  status(): ProviderStatus;
  close(): void;
}

export interface KeyCacheOptions {
  /** For logs and metrics: `IdentityProvider shop/okta`. */
  readonly provider: string;
  readonly loader: KeyLoader;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: IdentityEvents;
  readonly settings: IdentitySettings;
  /** Told when other keys are in force than before. */
  readonly onChange: (keys: KeySet) => void;
}

/**
 * Fetches at once and then again and again in the background: with keys in hand every refresh interval, after failures ever more rarely;
 * without keys every few seconds until there are some. A failed fetch never takes keys away: they stay until the stale window ends.
 * Only a thorough fetch, which asks discovery where there is any, says that the keys are still the issuer's: when the next one is due is
 * nothing that requests can put off, and where it is due, or the known place of the keys failed, theirs is one too.
 */
export function createKeyCache(options: KeyCacheOptions): KeyCache {
  return new FetchedKeys(options);
}

class FetchedKeys implements KeyCache {
  readonly firstLoad: Promise<void>;
  readonly #options: KeyCacheOptions;
  #set: KeySet | undefined;
  /** Monotonic, of the last good thorough fetch. */
  #loadedAt = 0;
  /** Monotonic, of the next thorough fetch. */
  #dueAt = -Infinity;
  /** The last fetch was none of discovery, and failed. */
  #doubtsPlace = false;
  #failures = 0;
  #lastFailure: string | undefined;
  #running: Promise<void> | undefined;
  /** Monotonic, of the last fetch that a request caused. */
  #askedAt = -Infinity;
  #cancelNext: () => void = () => {};
  #closed = false;

  constructor(options: KeyCacheOptions) {
    this.#options = options;
    this.firstLoad = this.#fetch(true);
  }

  current(): KeySet | undefined {
    if (this.#set === undefined || this.#age() >= this.#options.settings.staleWindowMs) return undefined;
    return this.#set;
  }

  refresh(): Promise<void> | undefined {
    if (this.#closed) return undefined;
    if (this.#running !== undefined) return this.#running;
    const { clock, loader, settings } = this.#options;
    const now = clock.monotonic();
    if (now - this.#askedAt < settings.minFetchIntervalMs) return undefined;
    const thorough = now >= this.#dueAt || this.#doubtsPlace;
    // Asking discovery too makes two requests of it, and so it counts as two.
    const counts = thorough && loader.discovers ? 2 : 1;
    this.#askedAt = now + (counts - 1) * settings.minFetchIntervalMs;
    return this.#fetch(thorough, true);
  }

  status(): ProviderStatus {
    const set = this.current();
    const leftOut = set === undefined ? undefined : describeLeftOut(set);
    const errors = [this.#lastFailure, leftOut].filter((error) => error !== undefined);
    return {
      keys: set?.keys.length ?? 0,
      keyAgeSeconds: set === undefined ? undefined : Math.floor(this.#age() / 1000),
      lastError: errors.length === 0 ? undefined : errors.join('; '),
    };
  }

  close(): void {
    this.#closed = true;
    this.#cancelNext();
  }

  /** One fetch at a time: who comes while one runs shares it. Never rejects. */
  #fetch(thorough: boolean, isUrgent = false): Promise<void> {
    this.#running ??= this.#attempt(thorough, isUrgent).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #attempt(asked: boolean, isUrgent: boolean): Promise<void> {
    const { clock, loader, events, provider } = this.#options;
    const thorough = asked || !loader.discovers;
    this.#cancelNext();
    const started = clock.monotonic();
    try {
      const { set, ageMs } = await loader.load(thorough, isUrgent);
      if (this.#closed) return;
      events.keyFetch(provider, 'ok', clock.monotonic() - started);
      if (thorough) this.#confirm(set, ageMs);
      this.#accept(set);
    } catch (error) {
      if (this.#closed) return;
      events.keyFetch(provider, 'failed', clock.monotonic() - started);
      this.#fail(error);
      this.#doubtsPlace = !thorough;
      if (this.#set === undefined) await this.#recall();
    }
    this.#bookNext(thorough);
  }

  /** Whoever begins while nobody answers goes on with what was fetched for it before: as old as it is. */
  async #recall(): Promise<void> {
    const { clock, loader } = this.#options;
    const found = await loader.recall();
    if (found === undefined || this.#closed) return;
    this.#loadedAt = clock.monotonic() - found.ageMs;
    this.#accept(found.set);
  }

  /** The next thorough fetch: another one moves it, a failure brings it nearer. It may have come due while this one ran. */
  #bookNext(wasThorough: boolean): void {
    const { clock, timers } = this.#options;
    const now = clock.monotonic();
    const next = now + this.#delay();
    if (wasThorough) this.#dueAt = next;
    else if (this.#doubtsPlace) this.#dueAt = Math.min(next, this.#dueAt);
    this.#cancelNext = timers.after(Math.max(0, this.#dueAt - now), () => void this.#fetch(true));
  }

  #confirm(set: KeySet, ageMs: number): void {
    const { logger, provider, clock } = this.#options;
    if (this.#lastFailure !== undefined) logger.info({ provider, keys: set.keys.length }, 'keys fetched again');
    this.#failures = 0;
    this.#lastFailure = undefined;
    this.#loadedAt = clock.monotonic() - ageMs;
  }

  #accept(set: KeySet): void {
    const { logger, provider, onChange } = this.#options;
    this.#doubtsPlace = false;
    if (set === this.#set) return;
    this.#set = set;
    if (set.leftOut.length > 0) logger.warn({ provider, leftOut: describeLeftOut(set) }, 'some keys cannot be used');
    onChange(set);
  }

  #fail(error: unknown): void {
    const { logger, provider } = this.#options;
    const message = messageOf(error);
    // Said once, not with every attempt: the metric counts those.
    if (message !== this.#lastFailure) {
      const code = error instanceof Failure ? error.code : 'internal_error';
      logger.warn(
        { provider, code, error: message, keysInForce: this.current() !== undefined },
        'keys could not be fetched',
      );
    }
    this.#failures++;
    this.#lastFailure = message;
  }

  /** Milliseconds until the next fetch in the background. */
  #delay(): number {
    const { settings, random } = this.#options;
    const jitter = random.fraction();
    // Earlier, never later: a withdrawn key must be gone after one interval, and good ones must not end before the next fetch has.
    const interval = Math.min(settings.refreshIntervalMs, 0.8 * settings.staleWindowMs);
    // Counted from when the issuer said so, to whichever process.
    if (this.#failures === 0) return Math.max(0, interval * (1 - 0.1 * jitter) - this.#age());
    const doubled = 2 ** Math.min(this.#failures - 1, 20) * (1 + 0.2 * jitter);
    if (this.current() === undefined) return Math.min(5_000 * (1 + 0.2 * jitter), 1_000 * doubled);
    const patient = Math.min(settings.refreshIntervalMs, settings.minFetchIntervalMs * doubled);
    return Math.min(patient, settings.staleWindowMs - this.#age());
  }

  #age(): number {
    return this.#options.clock.monotonic() - this.#loadedAt;
  }
}

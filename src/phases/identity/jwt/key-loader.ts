import { Failure } from '../../../core/failure.ts';
import type { Clock, HttpClient, HttpLimits, KeptAnswer } from '../../../core/ports.ts';
import { discoverJwksUri } from './discovery.ts';
import type { IdentitySettings } from '../identity-settings.ts';
import { readKeySet, type KeySet } from './key-set.ts';

/** Fetches keys once. Throws a Failure where there are none to be had. */
export interface KeyLoader {
  /** Discovery says where the keys are, so that a fetch which does not ask it says less. */
  readonly discovers: boolean;
  /**
   * `thorough` asks discovery again; otherwise the `jwks_uri` found last time serves, so that a fetch caused by a request is one fetch.
   * `isUrgent`: a request asks for newer keys. Answers the KeySet of the last time, the very same, where the document has not changed.
   */
  load(thorough: boolean, isUrgent: boolean): Promise<LoadedKeys>;
  /** What was fetched last, by whoever remembers it for us; undefined where nobody does. */
  recall(): Promise<LoadedKeys | undefined>;
}

export interface LoadedKeys {
  readonly set: KeySet;
  /** How long ago the issuer said so, milliseconds: more than 0 where another process fetched it. */
  readonly ageMs: number;
}

export interface KeyLoaderOptions {
  /** The set's own address; undefined asks discovery. */
  readonly uri: string | undefined;
  readonly issuer: string;
  readonly algorithms: ReadonlySet<string>;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | undefined;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly settings: IdentitySettings;
}

/** Of the time between two fetches, for what another process was answered: the next fetch is booked by its age, and comes the earlier for it. */
const maxSharedAge = 0.2;

/** A loader over HTTP; discovery and the set share one time-out. */
export function createKeyLoader(options: KeyLoaderOptions): KeyLoader {
  const { settings, clock } = options;
  let discovered: string | undefined;
  let last: { readonly text: string; readonly set: KeySet } | undefined;

  const readSet = async (bytes: Uint8Array): Promise<KeySet> => {
    const text = Buffer.from(bytes).toString('latin1');
    if (last?.text !== text) last = { text, set: await readKeySet(bytes, options.algorithms, settings.maxKeys) };
    return last.set;
  };

  return {
    discovers: options.uri === undefined,
    async load(thorough, isUrgent) {
      const end = clock.monotonic() + settings.fetchTimeoutMs;
      let ageMs = 0;
      const get = async (url: string): Promise<Uint8Array> => {
        const found = await fetchFrom(options.http, url, {
          timeoutMs: Math.max(1, end - clock.monotonic()),
          maxBytes: settings.maxJwksBytes,
          ca: options.ca,
          isUrgent,
          maxAgeMs: maxSharedAge * Math.min(settings.refreshIntervalMs, settings.staleWindowMs),
        });
        ageMs = Math.max(ageMs, found.ageMs);
        return found.body;
      };
      if (options.uri === undefined && (thorough || discovered === undefined)) {
        discovered = await discoverJwksUri(options.issuer, get);
      }
      const set = await readSet(await get(options.uri ?? discovered ?? ''));
      return { set, ageMs };
    },
    async recall() {
      const ages: number[] = [];
      const recall = async (url: string): Promise<Uint8Array> => {
        const limits = { timeoutMs: settings.fetchTimeoutMs, maxBytes: settings.maxJwksBytes, ca: options.ca };
        const found = await options.http.recall?.(url, limits);
        if (found === undefined) throw new Failure('not_remembered', 'nobody remembers it');
        ages.push(found.ageMs);
        return found.body;
      };
      try {
        const uri = options.uri ?? (await discoverJwksUri(options.issuer, recall));
        const set = await readSet(await recall(uri));
        discovered ??= uri;
        return { set, ageMs: Math.max(...ages) };
      } catch {
        return undefined;
      }
    },
  };
}

async function fetchFrom(http: HttpClient, url: string, limits: HttpLimits): Promise<KeptAnswer> {
  return (await http.getShared?.(url, limits)) ?? { body: await http.get(url, limits), ageMs: 0 };
}

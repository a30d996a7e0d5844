import { Failure } from '../../../core/failure.ts';
import type { Clock, HttpClient } from '../../../core/ports.ts';
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
  load(thorough: boolean, isUrgent: boolean): Promise<KeySet>;
  /** What was fetched last, by whoever remembers it for us, and how old that is, milliseconds; undefined where nobody does. */
  recall(): Promise<{ readonly set: KeySet; readonly ageMs: number } | undefined>;
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
      const get = (url: string): Promise<Uint8Array> =>
        options.http.get(url, {
          timeoutMs: Math.max(1, end - clock.monotonic()),
          maxBytes: settings.maxJwksBytes,
          ca: options.ca,
          isUrgent,
        });
      if (options.uri === undefined && (thorough || discovered === undefined)) {
        discovered = await discoverJwksUri(options.issuer, get);
      }
      return readSet(await get(options.uri ?? discovered ?? ''));
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

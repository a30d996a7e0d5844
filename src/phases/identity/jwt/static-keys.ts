import { messageOf } from '../../../core/failure.ts';
import type { KeyCache } from './key-cache.ts';
import { describeLeftOut, readKeySet, type KeySet } from './key-set.ts';

export interface StaticKeysOptions {
  /** The JSON text of a JWK Set; undefined where what it should come from is missing. */
  readonly text: string | undefined;
  /** What to say where it is missing: `the ConfigMap shop/keys has no key jwks`. */
  readonly missing: string;
  /** Where the text stands: `the key jwks of the ConfigMap shop/keys`; undefined where it is the document's own. */
  readonly place?: string | undefined;
  readonly algorithms: ReadonlySet<string>;
  readonly maxKeys: number;
}

/** Keys that come with the provider's document: read once, never fetched, of no age. Without usable keys every token is refused. */
export function createStaticKeys(options: StaticKeysOptions): KeyCache {
  let set: KeySet | undefined;
  let failure: string | undefined;
  const placed = (why: string): string => (options.place === undefined ? why : `${options.place}: ${why}`);
  const read = async (): Promise<void> => {
    if (options.text === undefined) {
      failure = options.missing;
      return;
    }
    try {
      set = await readKeySet(new TextEncoder().encode(options.text), options.algorithms, options.maxKeys);
    } catch (error) {
      failure = placed(messageOf(error));
    }
  };
  const leftOut = (): string | undefined => {
    const described = set && describeLeftOut(set);
    return described && placed(described);
  };
  return {
    current: () => set,
    firstLoad: read(),
    refresh: () => undefined,
    status: () => ({
      keys: set?.keys.length ?? 0,
      keyAgeSeconds: undefined,
      lastError: failure ?? leftOut(),
      unusable: failure ?? leftOut(),
    }),
    close: () => {},
  };
}

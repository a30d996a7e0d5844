import type { Logger, PasswordChecker } from '../core/ports.ts';
import { createOfflineEngine } from '../engine/offline-engine.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import { systemClock, systemRandom, systemTimers } from './system-ports.ts';

/** What providers refer to and cannot use, by their keys, as those say who would serve. Nothing is fetched. */
export async function findUnusable(documents: readonly AuthorDocument[]): Promise<ReadonlyMap<string, string>> {
  const engine = createOfflineEngine(
    { trustedHops: 0, maxHeaders: 1, serviceNamespace: 'portcullis', hostGrants: 'unknown', ownedHeaders: [] },
    { kind: 'documents' },
    { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silent, passwords: noPasswords },
  );
  try {
    await engine.apply({ documents, problems: [], unreadable: new Set() });
    const { providers } = engine.status();
    return new Map(
      providers.flatMap(({ key, unusable }) => (unusable === undefined ? [] : [[key, unusable] as const])),
    );
  } finally {
    engine.close();
  }
}

const nothing = (): void => undefined;
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
/** No request is judged. */
const noPasswords: PasswordChecker = { matches: () => Promise.resolve(false) };

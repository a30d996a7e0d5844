import { createOfflineEngine } from '../engine/offline-engine.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import { offlinePorts } from './offline-ports.ts';

/** What providers refer to and cannot use, by their keys, as those say who would serve. Nothing is fetched. */
export async function findUnusable(documents: readonly AuthorDocument[]): Promise<ReadonlyMap<string, string>> {
  const engine = createOfflineEngine(
    { trustedHops: 0, maxHeaders: 1, serviceNamespace: 'portcullis', hostGrants: 'unknown', ownedHeaders: [] },
    { kind: 'documents' },
    offlinePorts,
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

import type { Clock, Logger } from '../../../core/ports.ts';
import type { Revocation, RevocationListHandle, RevocationSourceStatus } from '../../../core/revocation.ts';
import type { CredentialNames } from './credential-names.ts';
import { createReadState } from './read-state.ts';
import { createRevocationTable, type RevocationTable } from './revocation-table.ts';
import type { RevocationSettings } from './revocation-settings.ts';

/** A list that somebody else keeps (a file, a ConfigMap) and that is read as a whole. */
export interface ListedSource extends RevocationListHandle {
  revokes(scopes: readonly string[], names: () => CredentialNames): boolean;
  failure(): string | undefined;
  status(): RevocationSourceStatus;
  sweep(count: number): void;
}

/** A mistake in the list, or more entries than there is room for, takes nothing away: what the last good list held stays in force beside what can be read. */
export function createListedSource(options: {
  readonly source: 'file' | 'configMap';
  readonly settings: RevocationSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}): ListedSource {
  const { source, settings, clock, logger } = options;
  const state = createReadState(clock, settings.graceMs);
  let good: readonly Revocation[] = [];
  let table = createRevocationTable(settings.maxEntries, clock);
  let problem: string | undefined;
  const build = (entries: readonly Revocation[]): { readonly table: RevocationTable; readonly isWhole: boolean } => {
    const built = createRevocationTable(settings.maxEntries, clock);
    const isWhole = entries.map((entry) => built.add(entry, 'widen')).every((outcome) => outcome === 'kept');
    return { table: built, isWhole };
  };
  return {
    replace: (entries, found) => {
      const built = build(found === undefined ? entries : [...good, ...entries]);
      if (found === undefined) good = entries;
      ({ table } = built);
      const next =
        found ??
        (built.isWhole
          ? undefined
          : `there is room for ${settings.maxEntries} entries: issuers are revoked as a whole`);
      if (next !== problem && next !== undefined)
        logger.error({ source, problem: next }, 'the list of revocations has entries that cannot be taken as they are');
      else logger.info({ source, entries: table.size }, 'the list of revocations was read');
      problem = next;
      state.confirm();
    },
    confirm: () => state.confirm(),
    fail: (why) => {
      state.fail(why);
      logger.warn({ source, error: why }, 'the list of revocations cannot be read');
    },
    revokes: (scopes, names) => table.revokes(scopes, names),
    failure: () => state.failure(),
    status: () => ({ source, entries: table.size, failure: state.failure(), problem }),
    sweep: (count) => table.sweep(count),
  };
}

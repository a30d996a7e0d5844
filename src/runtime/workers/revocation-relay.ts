import type { Clock, SharedList } from '../../core/ports.ts';
import type { RevocationControl, RevocationListHandle, RevocationListReading } from '../../core/revocation.ts';
import type { Steps } from '../../std/steps.ts';
import type { ListNews, ToWorker } from './messages.ts';
import type { ListReadState } from './received-list.ts';

/** Who has to have what was said. */
export interface Workers {
  tell(message: ToWorker): void;
  /** Resolves once all have in force what they were told before; rejects with a Failure where one does not say so in time. */
  passed(): Promise<void>;
}

/** Brings revocations to all workers before whoever revokes is answered. */
export interface RevocationRelay {
  /** The list of this process, with what is added told to the workers. */
  readonly list: SharedList;
  /** `control` is that of this process, over `list`. */
  relay(control: RevocationControl): RevocationControl;
  /** What a worker that knows nothing is told. */
  whole(): readonly ToWorker[];
  /** How the list of this process stands; to be asked again and again. */
  readState(): ListReadState;
}

export interface RelayOptions {
  /** The list is one that other replicas share. */
  readonly isShared: boolean;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** A message of this length holds nobody up. */
const entriesAtOnce = 1000;

export function createRevocationRelay(
  list: SharedList,
  workers: Workers,
  { isShared, clock }: RelayOptions,
): RevocationRelay {
  let listed: readonly ListNews[] = [];
  /** When the list in the cluster was last found to be what was read; monotonic. */
  let foundAt = 0;
  let readAt: number | undefined;
  const tell = (texts: readonly string[]): void => {
    for (const message of entryMessages(list, texts)) workers.tell(message);
  };
  const stop = list.onChange(({ added }) => tell(added));
  const note = (news: ListNews): void => {
    listed = keepNews(listed, news);
    if (news.kind !== 'failed') foundAt = clock.monotonic();
    workers.tell({ kind: 'listed', news });
  };
  return {
    list: {
      among: isShared ? 'replicas' : 'workers',
      maxEntries: list.maxEntries,
      entries: list.entries,
      add: async (entry, expiresAt) => {
        // It is in the copy of this process at once, and told to the workers by that.
        const added = list.add(entry, expiresAt);
        const outcomes = await Promise.allSettled([added, workers.passed()]);
        for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
      },
      unreadable: () => list.unreadable(),
      onChange: (listener) => list.onChange(listener),
      close: () => {
        stop();
        list.close();
      },
    },
    relay: (control) => ({
      status: () => control.status(),
      whenTaken: () => control.whenTaken(),
      add: async (...given) => {
        const outcome = await control.add(...given);
        // Shared by the workers of this service: other replicas know nothing of it.
        return outcome.kind === 'kept' && !isShared ? { ...outcome, isShared: false } : outcome;
      },
      openList: (source) =>
        source === 'configMap' ? relayList(control.openList(source), note) : control.openList(source),
    }),
    whole: () => [
      ...entryMessages(list, [...list.entries.keys()]),
      // Who begins while it cannot be read must not take it for one that was read just now.
      ...agedNews(listed, clock.monotonic() - foundAt).map((news): ToWorker => ({ kind: 'listed', news })),
    ],
    readState: () => {
      const unreadable = list.unreadable();
      if (unreadable === undefined) readAt = clock.monotonic();
      return { unreadable, readAgeMs: readAt === undefined ? undefined : clock.monotonic() - readAt };
    },
  };
}

/** What leads to the same list where it is told anew: the last whole reading, what was read beside it since, and how that stands. */
function keepNews(before: readonly ListNews[], news: ListNews): readonly ListNews[] {
  if (news.kind === 'read' && news.reading.problem === undefined) return [news];
  const reads = before.filter((one) => one.kind === 'read');
  if (news.kind !== 'read') return [...reads, news];
  const whole = reads.filter(({ reading }) => reading.problem === undefined);
  const partial = [...reads, news].flatMap(({ reading }) => (reading.problem === undefined ? [] : reading.entries));
  const entries = [...new Map(partial.map((entry) => [JSON.stringify(entry), entry])).values()];
  return [...whole, { kind: 'read', reading: { entries, problem: news.reading.problem }, ageMs: 0 }];
}

/** With its age in what was read, nothing else has to confirm it. */
function agedNews(news: readonly ListNews[], ageMs: number): readonly ListNews[] {
  return news.flatMap((one) => (one.kind === 'confirmed' ? [] : one.kind === 'read' ? { ...one, ageMs } : one));
}

function* entryMessages({ entries }: SharedList, texts: readonly string[]): Generator<ToWorker> {
  for (let from = 0; from < texts.length; from += entriesAtOnce) {
    const some = texts.slice(from, from + entriesAtOnce).flatMap((text): [string, number][] => {
      const end = entries.get(text);
      return end === undefined ? [] : [[text, end]];
    });
    yield { kind: 'revoked', entries: some };
  }
}

function relayList(handle: RevocationListHandle, note: (news: ListNews) => void): RevocationListHandle {
  return {
    take: (reading) => handle.take(alsoTell(reading, (read) => note({ kind: 'read', reading: read, ageMs: 0 }))),
    confirm: () => {
      handle.confirm();
      note({ kind: 'confirmed' });
    },
    fail: (why) => {
      handle.fail(why);
      note({ kind: 'failed', why });
    },
  };
}

function* alsoTell(
  reading: Steps<RevocationListReading>,
  tell: (read: RevocationListReading) => void,
): Steps<RevocationListReading> {
  const read = yield* reading;
  tell(read);
  return read;
}

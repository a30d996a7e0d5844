import { messageOf } from '../core/failure.ts';
import type { Clock, Logger } from '../core/ports.ts';
import type { AuthorDocument, SourceChange, SourceReading } from '../policy/spec.ts';
import type { Change, ChangeTaker, Turn } from './change-taker.ts';
import { diffReadings } from './diff-readings.ts';
import { createHaste, hurryOf } from './haste.ts';
import { createObjectSource, halveChange } from './object-source.ts';

/**
 * Changes one after the other, in the order in which they come. What a change is made of is known when its turn comes. Nobody waits for keys of new
 * providers any longer once a change comes that may take a credential away, or access by a policy of another namespace.
 */
export interface ChangeQueue {
  /** The difference to the reading before; false where it could not be taken in. Never rejects. */
  apply(reading: SourceReading): Promise<boolean>;
  /** False where something of it could not be taken in. Never rejects. */
  applyChange(change: SourceChange): Promise<boolean>;
  /** A change is coming, and nobody whom it may not wait for is waited for until the returned function is called. */
  hasten(change: SourceChange): () => void;
}

export function createChangeQueue(taker: ChangeTaker, clock: Clock, logger: Logger): ChangeQueue {
  const objects = createObjectSource();
  const haste = createHaste();
  let documents: readonly AuthorDocument[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (take: (arrivedAt: number) => Promise<boolean>): Promise<boolean> => {
    const arrivedAt = clock.monotonic();
    const taken = last.then(() => take(arrivedAt));
    // It never rejects; if a mistake of ours lets it, the next one has its turn all the same.
    last = taken.catch(() => undefined);
    return taken;
  };
  const hasten = (change: SourceChange): (() => void) => {
    const hurry = hurryOf(change, (source) => objects.has(source));
    return hurry === undefined ? () => undefined : haste.begin(hurry);
  };
  const takeReading = async (reading: SourceReading, arrivedAt: number): Promise<boolean> => {
    const commit = (): void => {
      documents = reading.documents;
    };
    const prepare = (): Change => ({ ...diffReadings(documents, reading), isWhole: true, commit });
    const failure = await takeSafely(taker, prepare, { arrivedAt, haste });
    if (failure !== undefined) logFailure(logger, failure);
    return failure === undefined;
  };
  /** An object on which something throws keeps no other one out (promise 4). */
  const takeObjects = async (change: SourceChange, turn: Turn): Promise<boolean> => {
    const rest = { problems: [], unreadable: new Set<string>(), isWhole: false };
    const failure = await takeSafely(taker, () => ({ ...objects.prepare(change), ...rest }), turn);
    if (failure === undefined) return true;
    const halves = halveChange(change);
    if (halves === undefined) logFailure(logger, failure, [...change.changed, ...change.removed][0]?.source);
    for (const half of halves ?? []) await takeObjects(half, turn);
    return false;
  };
  return {
    apply: (reading) => inTurn((arrivedAt) => takeReading(reading, arrivedAt)),
    applyChange: (change) => {
      const endHaste = hasten(change);
      return inTurn((arrivedAt) => takeObjects(change, { arrivedAt, haste })).finally(endHaste);
    },
    hasten,
  };
}

/** What it failed with; undefined where the change is in force. */
async function takeSafely(
  taker: ChangeTaker,
  prepare: () => Change,
  turn: Turn,
): Promise<{ readonly thrown: unknown } | undefined> {
  try {
    await taker.take(prepare(), turn);
    return undefined;
  } catch (thrown) {
    return { thrown };
  }
}

function logFailure(logger: Logger, { thrown }: { readonly thrown: unknown }, document?: string): void {
  logger.error(
    { error: messageOf(thrown), ...(document === undefined ? {} : { document }) },
    'a change could not be taken in; what was in force stays in force',
  );
}

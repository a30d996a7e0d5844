import type { Engine } from '../../engine/engine.ts';
import type { ParseSettings } from '../../policy/parse-document.ts';
import type { AuthorDocument, SourceReading } from '../../policy/spec.ts';
import { fromDocumentWire, type DocumentWire } from './document-wire.ts';
import type { DocumentHead, DocumentHeads, ReadingWire, RevisionMessage, ToWatcher } from './messages.ts';

/** Brings what the watcher sends into the engine of a worker, in its order, and says what is in force. */
export interface RevisionTaker {
  documents(documents: readonly DocumentWire[]): void;
  revision(message: RevisionMessage): void;
  /** The watcher has sent so many. */
  sent(number: number): void;
  hasten(number: number, change: DocumentHeads): void;
  hastened(number: number): void;
}

export interface RevisionTakerOptions {
  readonly engine: Pick<Engine, 'apply' | 'applyChange' | 'closeUnrouted' | 'hasten'>;
  readonly settings: ParseSettings;
  readonly tell: (message: ToWatcher) => void;
  /** What is in force is not what the watcher sent, for a bug: the process must not go on. */
  readonly onBroken: (thrown: unknown) => void;
}

/**
 * A revision that comes twice is acknowledged twice and taken once. One that is missing is told, and nothing more is taken until everything came
 * anew: half of the changes would decide differently.
 */
export function createRevisionTaker({ engine, settings, tell, onBroken }: RevisionTakerOptions): RevisionTaker {
  const held = createHeldDocuments(settings);
  const hurries = new Map<number, () => void>();
  /** By the revisions that are on their way; the first is what holds now. */
  let asked: readonly Pick<RevisionMessage, 'number' | 'closed'>[] = [];
  let received = 0;
  let inForce = 0;
  let isLost = false;
  let last: Promise<unknown> = Promise.resolve();

  const close = (): void => engine.closeUnrouted(new Set(asked.flatMap(({ closed }) => closed)));
  const lose = (): void => {
    held.forgetFresh();
    if (!isLost) tell({ kind: 'lost', received });
    isLost = true;
  };
  const take = async (message: RevisionMessage, before: Promise<unknown>): Promise<void> => {
    // What is to be closed is closed at once, and what is to be opened when the rest is in force.
    asked = [...asked, message];
    close();
    const taking = applyTo(engine, held, message);
    await before;
    const isTaken = await taking;
    asked = asked.slice(asked.indexOf(message));
    close();
    inForce = message.number;
    tell({ kind: 'acknowledged', number: message.number, isTaken });
  };
  return {
    documents: (documents) => held.add(documents),
    revision: (message) => {
      const { number, isWhole } = message;
      if (!isWhole && (isLost || number > received + 1)) {
        lose();
        return;
      }
      if (!isWhole && number <= received) {
        held.forgetFresh();
        if (number <= inForce) tell({ kind: 'acknowledged', number, isTaken: true });
        return;
      }
      [received, isLost] = [number, false];
      last = take(message, last).catch(onBroken);
    },
    sent: (number) => {
      if (number > received) lose();
    },
    hasten: (number, { changed, removed }) =>
      void hurries.set(number, engine.hasten({ changed: changed.map(toStub), removed: removed.map(toStub) })),
    hastened: (number) => {
      hurries.get(number)?.();
      hurries.delete(number);
    },
  };
}

/** Changes of the engine are in force in the order in which they are handed to it. */
function applyTo(
  engine: RevisionTakerOptions['engine'],
  held: HeldDocuments,
  message: RevisionMessage,
): Promise<boolean> {
  if (message.reading !== undefined) return engine.apply(held.read(message.reading, message.isWhole));
  return message.hasObjects ? engine.applyChange(held.change(message.removed, message.isWhole)) : Promise.resolve(true);
}

/** The documents that a worker has of the source. */
interface HeldDocuments {
  add(documents: readonly DocumentWire[]): void;
  /** Those that came for a revision that is not taken. */
  forgetFresh(): void;
  read(reading: ReadingWire, isWhole: boolean): SourceReading;
  change(
    removed: readonly DocumentHead[],
    isWhole: boolean,
  ): { readonly changed: readonly AuthorDocument[]; readonly removed: readonly AuthorDocument[] };
}

function createHeldDocuments(settings: ParseSettings): HeldDocuments {
  let fresh: AuthorDocument[] = [];
  let read: readonly AuthorDocument[] = [];
  const objects = new Map<string, AuthorDocument>();
  const takeFresh = (): readonly AuthorDocument[] => {
    const taken = fresh;
    fresh = [];
    return taken;
  };
  return {
    add: (documents) => {
      for (const document of documents) fresh.push(fromDocumentWire(document, settings));
    },
    forgetFresh: () => void takeFresh(),
    read: ({ order, problems, unreadable }, isWhole) => {
      const came = takeFresh().values();
      const before = isWhole ? [] : read;
      read = order.map((place) => {
        const document = place < 0 ? came.next().value : before[place];
        // Half of a reading would be another policy: the process ends, and another one takes its place.
        if (document === undefined) throw new TypeError('a revision names a document that is not there');
        return document;
      });
      return { documents: read, problems, unreadable: new Set(unreadable) };
    },
    change: (heads, isWhole) => {
      const changed = takeFresh();
      const kept = new Set(changed.map(({ source }) => source));
      const gone = isWhole
        ? [...objects.keys()].filter((source) => !kept.has(source))
        : heads.map(({ source }) => source);
      const removed = gone.map((source) => objects.get(source) ?? toStub({ source, reference: undefined }));
      for (const source of gone) objects.delete(source);
      for (const document of changed) objects.set(document.source, document);
      return { changed, removed };
    },
  };
}

/** A document of which nothing but its name is asked. */
function toStub({ source, reference }: DocumentHead): AuthorDocument {
  const placeOf = (): ReturnType<AuthorDocument['placeOf']> => ({ source, line: undefined, column: undefined });
  return { value: null, source, problems: [], placeOf, ...(reference === undefined ? {} : { reference }) };
}

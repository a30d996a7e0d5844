import type { AuthorDocument, SourceChange, SourceReading } from '../../policy/spec.ts';
import type { DocumentHead, RevisionMessage } from './messages.ts';

/** A revision with the documents that have to be there before it. */
export interface Revision {
  readonly message: RevisionMessage;
  readonly documents: readonly AuthorDocument[];
}

/** What workers are to serve: every change as a revision with the next number, and all of it for a worker that knows nothing. */
export interface PolicyState {
  read(reading: SourceReading): Revision;
  change(change: SourceChange): Revision;
  close(namespaces: ReadonlySet<string>): Revision;
  /** All of the last revision; undefined before the first. */
  whole(): Revision | undefined;
  /** The number of the last revision; 0 before the first. */
  readonly number: number;
}

export function createPolicyState(): PolicyState {
  let number = 0;
  let reading: SourceReading | undefined;
  const objects = new Map<string, AuthorDocument>();
  let hasObjects = false;
  let closed: readonly string[] = [];
  const next = (documents: readonly AuthorDocument[], parts: Partial<RevisionMessage> = {}): Revision => ({
    documents,
    message: { kind: 'revision', number: ++number, isWhole: false, ...nothing, closed, ...parts },
  });
  return {
    get number() {
      return number;
    },
    read: (fresh) => {
      const before = new Map(reading?.documents.map((document, index) => [document, index]));
      reading = fresh;
      const documents = fresh.documents.filter((document) => !before.has(document));
      return next(documents, { reading: toWire(fresh, (document) => before.get(document) ?? -1) });
    },
    change: ({ changed, removed }) => {
      hasObjects = true;
      for (const { source } of removed) objects.delete(source);
      for (const document of changed) objects.set(document.source, document);
      return next(changed, { hasObjects, removed: removed.map(headOf) });
    },
    close: (namespaces) => {
      closed = [...namespaces];
      return next([]);
    },
    whole: () => {
      if (number === 0) return undefined;
      const wire = reading && toWire(reading, () => -1);
      const documents = reading?.documents ?? [...objects.values()];
      return {
        documents,
        message: { kind: 'revision', number, isWhole: true, reading: wire, hasObjects, removed: [], closed },
      };
    },
  };
}

const nothing = { reading: undefined, hasObjects: false, removed: [] } as const;

function toWire(
  { documents, problems, unreadable }: SourceReading,
  placeOf: (document: AuthorDocument) => number,
): RevisionMessage['reading'] {
  return { order: documents.map(placeOf), problems, unreadable: [...unreadable] };
}

/** What says which document it is, and whether a change of it is in haste. */
export function headOf({ source, reference }: AuthorDocument): DocumentHead {
  return { source, reference };
}

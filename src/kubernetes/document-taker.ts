import { thrownFields } from '../core/thrown-fields.ts';
import type { AuthorDocument, MaterialRef, SourceChange } from '../policy/spec.ts';
import type { ChangeQueue } from './change-queue.ts';
import { ourKinds } from './collection.ts';
import { inSlices } from './in-slices.ts';
import { inTime } from './in-time.ts';
import type { ReferenceFollower } from './reference-follower.ts';
import type { ReflectorPorts } from './reflector.ts';
import { createTurns } from './turns.ts';
import type { TakenOut } from './waiting-changes.ts';
import type { UnroutedGate } from './unrouted-gate.ts';

/** Takes changes of documents in with what they refer to, one at a time. */
export interface DocumentTaker {
  /** Resolves once what is good of the change is in force. Where it rejects, which nothing makes it do, the change has to be taken again. */
  take(change: SourceChange): Promise<void>;
  /**
   * What is in force of these documents may be another version, perhaps because of a change of another document: a provider that came lets the
   * version in force that waited for it.
   */
  stood(sources: Iterable<string>): void;
  /** With what was read and waits: a namespace is opened when the hostnames that were not known are in force. */
  reviewGate(): void;
}

interface TakerParts {
  readonly gate: UnroutedGate;
  readonly references: ReferenceFollower;
  /** What was read of what documents refer to. */
  readonly referred: Pick<ChangeQueue, 'takeOut'>;
  readonly sink: {
    referencesOf(document: AuthorDocument): readonly MaterialRef[];
    referencesInForce(source: string): readonly MaterialRef[];
  };
  readonly ports: Pick<ReflectorPorts, 'clock' | 'timers' | 'logger'>;
  /** How long the first change waits for what it refers to, milliseconds. */
  readonly materialTimeoutMs: number;
}

/** How long a change later on waits for what it newly refers to, milliseconds: a list takes a few. */
const laterMaterialMs = 1000;

export function createDocumentTaker(parts: TakerParts): DocumentTaker {
  const { gate, references, referred, sink, ports } = parts;
  let isFirst = true;
  /** The documents of which another version may be in force than `references` knows. */
  const unsettled = new Set<string>();
  const tellBug = (thrown: unknown): void =>
    ports.logger.error(thrownFields(thrown), 'what documents refer to could not be taken in, which is a bug');
  const reviewGate = (): void => {
    const closed = references.unreserved();
    if (isFirst || gate.isAt(closed)) return;
    const read = referred.takeOut();
    handOn(read, gate.apply(read.change, closed)).catch(tellBug);
  };
  const note = (document: AuthorDocument): void =>
    references.note(document.source, refsOf(document, sink), document.version?.createdAt);
  const settle = async (): Promise<void> => {
    // Only who judged a document beside others knows what is in force of it: that must not lose what it refers to.
    await inSlices(takeFrom(unsettled), (source) => references.settle(source, sink.referencesInForce(source)), ports);
    void references.begin();
    references.bind();
    references.endOthers();
    reviewGate();
  };
  const take = async ({ removed, changed }: SourceChange): Promise<void> => {
    for (const { source } of removed) references.forget(source);
    const ours = changed.filter(({ source }) => isPolicySource(source));
    await inSlices(ours, note, ports);
    await inTime(references.begin(), isFirst ? parts.materialTimeoutMs : laterMaterialMs, ports.timers);
    isFirst = false;
    references.bind();
    const read = referred.takeOut();
    const all = { removed: [...read.change.removed, ...removed], changed: [...read.change.changed, ...changed] };
    await handOn(read, gate.apply(all, references.unreserved()));
    for (const { source } of ours) unsettled.add(source);
    await settle();
  };
  /** What is noted for a change that is being taken in is not in force yet, and must not be settled with. */
  const turns = createTurns(() => settleRest());
  const settleRest = (): void => {
    if (!turns.isBusy() && unsettled.size > 0) turns.inTurn(settle).catch(tellBug);
  };
  return {
    reviewGate,
    stood: (sources) => {
      for (const source of sources) if (isPolicySource(source)) unsettled.add(source);
      settleRest();
    },
    take: (change) => turns.inTurn(() => take(change)),
  };
}

/** What could not be handed on waits again. */
async function handOn(read: TakenOut, handedOn: Promise<void>): Promise<void> {
  let isTaken = false;
  try {
    await handedOn;
    isTaken = true;
  } finally {
    read.settled(isTaken);
  }
}

function* takeFrom(sources: Set<string>): Generator<string> {
  for (const source of sources) {
    sources.delete(source);
    yield source;
  }
}

/** A document on which something throws must not hold up the others; the engine says what is wrong with it. */
function refsOf(document: AuthorDocument, sink: TakerParts['sink']): readonly MaterialRef[] {
  try {
    return sink.referencesOf(document);
  } catch {
    return [];
  }
}

function isPolicySource(source: string): boolean {
  return ourKinds.some((kind) => source.startsWith(`${kind} `));
}

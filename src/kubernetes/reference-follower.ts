import type { SourceChange } from '../policy/spec.ts';
import { createMaterialFollower, type MaterialFollower } from './material-follower.ts';
import { maxMaterialCharacters } from './material-room.ts';
import { maxMaterials, type ReferredMaterials } from './reference-budgets.ts';
import type { ReferenceReading } from './conditions.ts';
import { createReferences, lingerMs, type References } from './references.ts';
import type { Reflector, ReflectorPorts, ReflectorState, ReflectorTiming } from './reflector.ts';
import { createUnreservedNamespaces } from './unreserved-namespaces.ts';

/** Follows what documents refer to, as far as it may, for as long as they do and a little longer. */
export interface ReferenceFollower extends Pick<References, 'note' | 'settle' | 'forget'> {
  /** Follows what is referred to by now. Resolves when the server said of all that is new what there is. */
  begin(): Promise<void>;
  /** What was noted is about to be in force: from now on it counts for `unreserved`. */
  bind(): void;
  /** A change is taken in whole: what nobody refers to any more is not followed any more. Until then all is that was. */
  endOthers(): void;
  /** The namespaces of which hostnames of routes are not known: there are more than are followed, the server did not answer yet, or one is too large. */
  unreserved(): ReadonlySet<string>;
  /** Of the reflector of something, by its key; undefined where it is not followed. */
  state(key: string): ReflectorState | undefined;
  /** How far something that documents refer to could be read, by its key. */
  readingOf(key: string): ReferenceReading;
  /** Which of the things that the document refers to cannot be read now, and why; undefined where all can. */
  unreadableOf(source: string): string | undefined;
  reflectors(): readonly Reflector[];
  close(): void;
}

const tooManyReferences =
  'more of a kind is referred to than is followed: providers beyond have no keys, and with routes beyond, checks for hosts of the namespace that name no route are denied';

const notFollowed =
  `of one namespace no more than ${maxMaterials} of a kind are followed, those that the oldest policies and providers refer to; ` +
  'refer to fewer, or spread the documents over more namespaces';

const withoutRoom =
  `of what the Secrets of one namespace hold that documents name, and of what its ConfigMaps hold, no more than ${maxMaterialCharacters / 1024 / 1024} MiB of text are kept, ` +
  'those that the oldest providers refer to; refer to smaller ones, or spread the documents over more namespaces';

export function createReferenceFollower(options: {
  readonly ports: ReflectorPorts;
  readonly timing: Partial<ReflectorTiming>;
  readonly onChange: (change: SourceChange) => void;
  /** Called when the server said for the first time what there is of one. */
  readonly onAnswered: () => void;
}): ReferenceFollower {
  const { ports } = options;
  const references = createReferences(ports.clock);
  const materials = createMaterialFollower(options);
  const warnOfExcess = createExcessWarning(ports);
  let cancelLettingGo: (() => void) | undefined;
  /** True while a change is taken in: what it refers to is noted, and what is in force is what was before. */
  let isTaking = false;
  const unreserved = createUnreservedNamespaces(references, materials);
  let kept: ReferredMaterials | undefined;
  const letGo = (): void => {
    cancelLettingGo = undefined;
    // Who takes a change in lets go at its end.
    if (!isTaking) endOthers();
  };
  const endOthers = (): void => {
    isTaking = false;
    const referred = references.all();
    if (referred !== kept) {
      warnOfExcess(referred.excessive);
      materials.keepOnly(referred);
      kept = referred;
    }
    // What lingers is let go though nothing else changes.
    if (cancelLettingGo === undefined && references.lingers()) cancelLettingGo = ports.timers.after(lingerMs, letGo);
  };
  return {
    note: (source, refs, createdAt) => {
      isTaking = true;
      references.note(source, refs, createdAt);
    },
    settle: (source, refs) => references.settle(source, refs),
    forget: (source) => {
      isTaking = true;
      references.forget(source);
    },
    begin: () => {
      const referred = references.all();
      if (referred === kept) return Promise.resolve();
      return unreserved.follow(referred);
    },
    bind: () => unreserved.bind(),
    endOthers,
    unreserved: () => unreserved.all(),
    state: (key) => materials.state(key),
    readingOf: (key) => readReference(key, references, materials),
    unreadableOf: (source) => firstUnreadable(references.of(source), references, materials),
    reflectors: () => materials.reflectors(),
    close: () => {
      cancelLettingGo?.();
      materials.close();
    },
  };
}

/** Tells of a namespace once, until it is within the bounds again. */
function createExcessWarning({ logger }: Pick<ReflectorPorts, 'logger'>): (namespaces: ReadonlySet<string>) => void {
  let known: ReadonlySet<string> = new Set();
  return (namespaces) => {
    for (const namespace of namespaces)
      if (!known.has(namespace)) logger.warn({ namespace, followed: maxMaterials }, tooManyReferences);
    known = namespaces;
  };
}

function readReference(
  key: string,
  references: Pick<References, 'isLeftOut'>,
  materials: Pick<MaterialFollower, 'state' | 'unread' | 'isWithoutRoom'>,
): ReferenceReading {
  const state = materials.state(key);
  const isRead = state?.isSynced === true;
  const unread = materials.unread.get(key);
  if (unread !== undefined) return { isRead, failure: unread, isTooLarge: true };
  return { isRead, failure: state?.failure ?? whyLeftOut(key, references, materials) };
}

function whyLeftOut(
  key: string,
  references: Pick<References, 'isLeftOut'>,
  materials: Pick<MaterialFollower, 'isWithoutRoom'>,
): string | undefined {
  if (references.isLeftOut(key)) return notFollowed;
  return materials.isWithoutRoom(key) ? withoutRoom : undefined;
}

function firstUnreadable(
  keys: readonly string[],
  references: Pick<References, 'isLeftOut'>,
  materials: Pick<MaterialFollower, 'state' | 'unread' | 'isWithoutRoom'>,
): string | undefined {
  for (const key of keys) {
    const why = whyLeftOut(key, references, materials);
    if (why !== undefined) return `${key} cannot be read: ${why}`;
  }
  const states = keys.flatMap((key) => materials.state(key) ?? []);
  const failing = states.find(({ failure }) => failure !== undefined);
  if (failing !== undefined) return `${failing.collection.name} cannot be read: ${failing.failure ?? ''}`;
  const unread = keys.find((key) => materials.unread.has(key));
  return unread === undefined ? undefined : `the ${unread} cannot be read: ${materials.unread.get(unread) ?? ''}`;
}

import type { SourceChange } from '../policy/spec.ts';
import { createMaterialFollower } from './material-follower.ts';
import { createReferences, lingerMs, maxMaterials, type References, type ReferredMaterials } from './references.ts';
import type { Reflector, ReflectorPorts, ReflectorState, ReflectorTiming } from './reflector.ts';

/** Follows what documents refer to, as far as it may, for as long as they do and a little longer. */
export interface ReferenceFollower extends Pick<References, 'note' | 'settle' | 'forget'> {
  /** Follows what is referred to by now. Resolves when the server said of all that is new what there is. */
  begin(): Promise<void>;
  /** Follows nothing else. */
  endOthers(): void;
  /** Of the reflector of something, by its key; undefined where it is not followed. */
  state(key: string): ReflectorState | undefined;
  /** Why something is not followed though documents refer to it, in words; undefined where it is, or nobody refers to it. */
  whyLeftOut(key: string): string | undefined;
  /** Which of the things that the document refers to cannot be read now, and why; undefined where all can. */
  unreadableOf(source: string): string | undefined;
  reflectors(): readonly Reflector[];
  close(): void;
}

const tooManyReferences =
  'more of a kind is referred to than is followed: providers beyond have no keys, and hostnames of routes are not reserved';

const notFollowed =
  `of one namespace no more than ${maxMaterials} of a kind are followed, those that the oldest policies and providers refer to; ` +
  'refer to fewer, or spread the documents over more namespaces';

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
  let leftOut: ReferredMaterials['leftOut'] = new Set();
  let cancelLettingGo: (() => void) | undefined;
  const referredNow = (): ReferredMaterials['refs'] => {
    const referred = references.all();
    leftOut = referred.leftOut;
    warnOfExcess(referred.excessive);
    return referred.refs;
  };
  const endOthers = (): void => {
    materials.keepOnly(referredNow());
    // What lingers is let go though nothing else changes.
    if (cancelLettingGo !== undefined || !references.lingers()) return;
    cancelLettingGo = ports.timers.after(lingerMs, () => {
      cancelLettingGo = undefined;
      endOthers();
    });
  };
  return {
    note: (source, refs, createdAt) => references.note(source, refs, createdAt),
    settle: (source, refs) => references.settle(source, refs),
    forget: (source) => references.forget(source),
    begin: () => materials.follow(referredNow()),
    endOthers,
    state: (key) => materials.state(key),
    whyLeftOut: (key) => (leftOut.has(key) ? notFollowed : undefined),
    unreadableOf: (source) => {
      const keys = references.of(source);
      const left = keys.find((key) => leftOut.has(key));
      if (left !== undefined) return `${left} cannot be read: ${notFollowed}`;
      return firstUnreadable(keys.flatMap((key) => materials.state(key) ?? []));
    },
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

function firstUnreadable(states: readonly ReflectorState[]): string | undefined {
  const failing = states.find(({ failure }) => failure !== undefined);
  return failing && `${failing.collection.name} cannot be read: ${failing.failure ?? ''}`;
}

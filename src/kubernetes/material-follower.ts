import type { MaterialRef, SourceChange } from '../policy/spec.ts';
import { createMultiMap } from '../std/multi-map.ts';
import { fewAtOnce } from './few-at-once.ts';
import { createFollowedReference, type FollowedReference } from './followed-reference.ts';
import type { KubernetesApi } from './kubernetes-api.ts';
import { createMaterialRoom, type RoomShift } from './material-room.ts';
import type { ReferredMaterials } from './reference-budgets.ts';
import type { Reflector, ReflectorPorts, ReflectorState, ReflectorTiming } from './reflector.ts';

/** What is followed. */
export type Followable = Pick<ReferredMaterials, 'refs' | 'orders'>;

/**
 * Follows Secrets, ConfigMaps and routes, and only those that somebody refers to. Each reference is followed by itself, and its documents are its
 * own (`reference`): two watches that see one Secret may be far apart, and the one that is behind must not take back what the other said. Of what has
 * a name only the keys are kept that are asked for, so that it is read again where others are; and what is kept of one namespace is bounded.
 */
export interface MaterialFollower {
  /**
   * From now on these are followed too. Resolves when those that are new, or of which other keys are asked for, were read once, or found to be missing,
   * or refused by the server.
   */
  follow(referred: Followable): Promise<void>;
  /** From now on no others are followed: what there is of them is told as gone. */
  keepOnly(referred: Followable): void;
  /** Those of which the server did not say yet what there is, by key. That it may not be read is an answer. */
  readonly pending: ReadonlySet<string>;
  /** Those with a name that are there and cannot be read, and why, as a sentence without its subject; by key. */
  readonly unread: ReadonlyMap<string, string>;
  /** Of the reflector of one of them, by its key; undefined where it is not followed. */
  state(key: string): ReflectorState | undefined;
  /** True of one that is followed and for whose texts there is no room. */
  isWithoutRoom(key: string): boolean;
  reflectors(): readonly Reflector[];
  close(): void;
}

export interface MaterialFollowerOptions {
  readonly ports: ReflectorPorts;
  readonly timing: Partial<ReflectorTiming>;
  readonly onChange: (change: SourceChange) => void;
  /** Called when the server said what there is of one that was not read before, or of which other keys are asked for. */
  readonly onAnswered: () => void;
}

/** A list of one object may be of a megabyte, and a namespace may name hundreds: not all are in memory at once. */
const readAtOnce = 4;

export function createMaterialFollower(options: MaterialFollowerOptions): MaterialFollower {
  const { ports, timing, onChange, onAnswered } = options;
  const followed = new Map<string, FollowedReference>();
  const pending = new Set<string>();
  const unread = new Map<string, string>();
  const room = createMaterialRoom(ports);
  const apis = createNamespaceApis(ports.api);
  const shift = ({ lost, won }: RoomShift): void => {
    for (const key of lost) followed.get(key)?.letGo();
    for (const key of won) {
      const one = followed.get(key);
      if (one?.isLetGo() === true) void begin(key, one.ref);
    }
  };
  const begin = async (key: string, ref: MaterialRef): Promise<void> => {
    const before = followed.get(key);
    before?.close();
    const hasRoom = (weight: number): boolean => {
      shift(room.weigh(ref, key, weight));
      return !room.isWithoutRoom(key);
    };
    const own = { ...ports, api: apis.open(ref, key) };
    const onRead = (why: string | undefined): void => noteUnread(unread, key, why);
    const one = createFollowedReference({ ref, before, hasRoom, onRead, onChange, ports: own, timing });
    followed.set(key, one);
    pending.add(key);
    await one.reflector.answered;
    if (followed.get(key) !== one) return;
    pending.delete(key);
    onAnswered();
  };
  const end = (key: string, one: FollowedReference): void => {
    one.close();
    for (const known of [followed, pending, unread]) known.delete(key);
    apis.close(one.ref, key);
    // Nobody is left who would say that they are gone.
    if (one.told.size > 0) onChange({ removed: [...one.told.values()], changed: [] });
    shift(room.forget(one.ref, key));
  };
  return {
    follow: async ({ refs, orders }) => {
      shift(room.order(orders));
      const fresh = [...refs].filter(([key, ref]) => !isReadFor(followed.get(key), ref));
      await Promise.all(fresh.map(([key, ref]) => begin(key, ref)));
    },
    keepOnly: ({ refs, orders }) => {
      for (const [key, one] of followed) if (!refs.has(key)) end(key, one);
      shift(room.order(orders));
    },
    pending,
    unread,
    state: (key) => followed.get(key)?.reflector.state(),
    isWithoutRoom: (key) => room.isWithoutRoom(key),
    reflectors: () => [...followed.values()].map(({ reflector }) => reflector),
    close: () => {
      for (const one of followed.values()) one.close();
      followed.clear();
    },
  };
}

/** Each namespace is read by itself: its objects hold up nobody else's. */
function createNamespaceApis(api: KubernetesApi): {
  open(ref: MaterialRef, key: string): KubernetesApi;
  close(ref: MaterialRef, key: string): void;
} {
  const apis = new Map<string, KubernetesApi>();
  const keys = createMultiMap();
  return {
    open: ({ namespace }, key) => {
      const known = apis.get(namespace) ?? fewAtOnce(api, readAtOnce);
      apis.set(namespace, known);
      keys.add(namespace, key);
      return known;
    },
    close: ({ namespace }, key) => {
      keys.delete(namespace, key);
      if (!keys.has(namespace)) apis.delete(namespace);
    },
  };
}

/** True where it has the keys that are asked for, and no others. */
function isReadFor(one: FollowedReference | undefined, ref: MaterialRef): boolean {
  return one !== undefined && keysOf(one.ref) === keysOf(ref);
}

function keysOf(ref: MaterialRef): string {
  return 'name' in ref ? (ref.keys?.join(' ') ?? '') : '';
}

function noteUnread(unread: Map<string, string>, key: string, why: string | undefined): void {
  if (why === undefined) unread.delete(key);
  else unread.set(key, why);
}

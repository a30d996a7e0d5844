import type { RevocationScope, RevocationTarget } from '../../../core/revocation.ts';
import type { Clock } from '../../../core/ports.ts';
import type { Room } from './room.ts';
import { ownerOf, scopeKey } from './scope-key.ts';

/** Values by whose credentials they are about and what they name of them, bounded, each with an end. Look-ups are synchronous and O(1). */
export interface TargetTable<V> {
  readonly size: number;
  /** `scope` as `scopeKey` writes it. */
  get(scope: string, target: RevocationTarget, value: string): V | undefined;
  /** True where something is known of the scope. */
  has(scope: string): boolean;
  /** False where there is no room; then nothing changed. An end is never made earlier. */
  set(name: TargetName, content: V, expiresAt: Ending): boolean;
  /** What of a scope came last to its end; undefined where nothing is known of it. */
  latestEnd(scope: string): { readonly expiresAt: Ending } | undefined;
  /** Takes out all of a scope, at the cost of one entry. */
  clear(scope: RevocationScope): void;
  /** Looks at the next so many for those past their end. */
  sweep(count: number): void;
}

export interface TargetName {
  readonly scope: RevocationScope;
  readonly target: RevocationTarget;
  readonly value: string;
}

/** Seconds since the epoch; undefined: for good. */
export type Ending = number | undefined;

interface Slot<V> {
  content: V;
  expiresAt: Ending;
  /** Monotonic, milliseconds. */
  keptUntil: number;
}

interface OfScope<V> {
  readonly owner: string;
  readonly targets: Map<RevocationTarget, Map<string, Slot<V>>>;
  count: number;
  /** Of all that were ever here: not earlier than the latest of those that are. */
  latestEnd: Ending;
}

/** Beyond an end: the largest skew of a provider, and a margin for clocks that differ. */
export const marginSeconds = 600;
/** Looked at where there is no room, at most once a second: more would hold everybody up. */
const sweptWhenFull = 5000;

/**
 * An entry counts as long as it is here. It goes once its end is past by the wall clock *and* as much time has passed as was left: a wall clock
 * that is set forward takes none away too early, nor does one that was ahead and is set back. Several tables may share one room.
 */
export function createTargetTable<V>(room: Room, clock: Clock): TargetTable<V> {
  return new NestedTable(room, clock);
}

class NestedTable<V> implements TargetTable<V> {
  readonly #room: Room;
  readonly #clock: Clock;
  readonly #scopes = new Map<string, OfScope<V>>();
  #size = 0;
  #walk: Iterator<void, void> | undefined;
  #sweptAt = -Infinity;

  constructor(room: Room, clock: Clock) {
    this.#room = room;
    this.#clock = clock;
  }

  get size(): number {
    return this.#size;
  }

  get(scope: string, target: RevocationTarget, value: string): V | undefined {
    return this.#scopes.get(scope)?.targets.get(target)?.get(value)?.content;
  }

  has(scope: string): boolean {
    return this.#scopes.has(scope);
  }

  latestEnd(scope: string): { readonly expiresAt: Ending } | undefined {
    const known = this.#scopes.get(scope);
    return known && { expiresAt: known.latestEnd };
  }

  set({ scope: of, target, value }: TargetName, content: V, expiresAt: Ending): boolean {
    const scope = scopeKey(of);
    const keptUntil = this.#keptUntil(expiresAt);
    const known = this.#scopes.get(scope);
    const slot = known?.targets.get(target)?.get(value);
    if (known !== undefined && slot !== undefined) {
      slot.content = content;
      slot.expiresAt = laterOf(slot.expiresAt, expiresAt);
      slot.keptUntil = Math.max(slot.keptUntil, keptUntil);
      known.latestEnd = laterOf(known.latestEnd, slot.expiresAt);
      return true;
    }
    const owner = known?.owner ?? ownerOf(of);
    if (!this.#room.fits(owner, 1)) this.#sweepWhenFull();
    if (!this.#room.fits(owner, 1)) return false;
    const into = getOrMake(this.#scopes, scope, () => ({ owner, targets: new Map(), count: 0, latestEnd: -Infinity }));
    getOrMake(into.targets, target, () => new Map<string, Slot<V>>()).set(value, { content, expiresAt, keptUntil });
    into.latestEnd = laterOf(into.latestEnd, expiresAt);
    into.count++;
    this.#size++;
    this.#room.take(owner);
    return true;
  }

  clear(of: RevocationScope): void {
    const scope = scopeKey(of);
    const known = this.#scopes.get(scope);
    if (known === undefined) return;
    this.#scopes.delete(scope);
    this.#size -= known.count;
    this.#room.giveBack(known.owner, known.count);
  }

  sweep(count: number): void {
    for (let seen = 0; seen < count; seen++) {
      this.#walk ??= this.#lookAtAll();
      if (this.#walk.next().done !== true) continue;
      this.#walk = undefined;
      return;
    }
  }

  /** Not with every entry that finds no room. */
  #sweepWhenFull(): void {
    const now = this.#clock.monotonic();
    if (now - this.#sweptAt < 1000) return;
    this.#sweptAt = now;
    this.sweep(sweptWhenFull);
  }

  /** The iterators of a Map bear what changes meanwhile; what was cleared is nobody's any more. */
  *#lookAtAll(): Generator<void, void> {
    for (const [scope, known] of this.#scopes) {
      for (const [target, slots] of known.targets) {
        for (const [value, slot] of slots) {
          if (this.#scopes.get(scope) !== known) break;
          if (this.#isPast(slot)) this.#delete(scope, known, { target, value });
          yield;
        }
      }
    }
  }

  #isPast({ expiresAt, keptUntil }: Slot<V>): boolean {
    const now = this.#clock.now() / 1000;
    return expiresAt !== undefined && now >= expiresAt + marginSeconds && this.#clock.monotonic() >= keptUntil;
  }

  #keptUntil(expiresAt: Ending): number {
    if (expiresAt === undefined) return Infinity;
    const leftSeconds = Math.max(0, expiresAt - this.#clock.now() / 1000);
    return this.#clock.monotonic() + (leftSeconds + marginSeconds) * 1000;
  }

  #delete(scope: string, known: OfScope<V>, { target, value }: Pick<TargetName, 'target' | 'value'>): void {
    const slots = known.targets.get(target);
    if (slots?.delete(value) !== true) return;
    known.count--;
    this.#size--;
    this.#room.giveBack(known.owner, 1);
    if (slots.size === 0) known.targets.delete(target);
    if (known.targets.size === 0) this.#scopes.delete(scope);
  }
}

export function laterOf(a: Ending, b: Ending): Ending {
  return a === undefined || b === undefined ? undefined : Math.max(a, b);
}

function getOrMake<K, T>(map: Map<K, T>, key: K, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

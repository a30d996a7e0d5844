import type { RevocationTarget } from '../../../core/revocation.ts';
import type { Clock } from '../../../core/ports.ts';

/** Values by whose credentials they are about and what they name of them, bounded, each with an end. Look-ups are synchronous and O(1). */
export interface TargetTable<V> {
  readonly size: number;
  get(scope: string, target: RevocationTarget, value: string): V | undefined;
  /** True where something is known of the scope. */
  has(scope: string): boolean;
  /** False where there is no room; then nothing changed. `expiresAt` in seconds since the epoch; undefined: for good. */
  set(scope: string, target: RevocationTarget, value: string, content: V, expiresAt: number | undefined): boolean;
  /** Takes out what `test` says of one scope. Linear in the scope. */
  deleteWhere(scope: string, test: (content: V, target: RevocationTarget) => boolean): void;
  /** Looks at the next so many for those past their end. */
  sweep(count: number): void;
}

interface Slot<V> {
  content: V;
  expiresAt: number | undefined;
  /** Monotonic, milliseconds. */
  keptUntil: number;
}

type Targets<V> = Map<RevocationTarget, Map<string, Slot<V>>>;

/** Beyond an end: the largest skew of a provider, and a margin for clocks that differ. */
const marginSeconds = 600;

/**
 * An entry counts as long as it is here. It goes once its end is past by the wall clock *and* as much time has passed as was left: a wall clock
 * that is set forward takes none away too early, nor does one that was ahead and is set back.
 */
export function createTargetTable<V>(maxEntries: number, clock: Clock): TargetTable<V> {
  return new NestedTable(maxEntries, clock);
}

class NestedTable<V> implements TargetTable<V> {
  readonly #max: number;
  readonly #clock: Clock;
  readonly #scopes = new Map<string, Targets<V>>();
  #size = 0;
  #walk: Iterator<void, void> | undefined;
  #sweptAt = -Infinity;

  constructor(max: number, clock: Clock) {
    this.#max = max;
    this.#clock = clock;
  }

  get size(): number {
    return this.#size;
  }

  get(scope: string, target: RevocationTarget, value: string): V | undefined {
    return this.#scopes.get(scope)?.get(target)?.get(value)?.content;
  }

  has(scope: string): boolean {
    return this.#scopes.has(scope);
  }

  set(scope: string, target: RevocationTarget, value: string, content: V, expiresAt: number | undefined): boolean {
    const known = this.#scopes.get(scope)?.get(target)?.get(value);
    const keptUntil = this.#keptUntil(expiresAt);
    if (known !== undefined) {
      known.content = content;
      known.expiresAt = laterOf(known.expiresAt, expiresAt);
      known.keptUntil = Math.max(known.keptUntil, keptUntil);
      return true;
    }
    if (this.#size >= this.#max) this.#sweepAll();
    if (this.#size >= this.#max) return false;
    const targets = getOrMake(this.#scopes, scope, (): Targets<V> => new Map());
    getOrMake(targets, target, () => new Map<string, Slot<V>>()).set(value, { content, expiresAt, keptUntil });
    this.#size++;
    return true;
  }

  deleteWhere(scope: string, test: (content: V, target: RevocationTarget) => boolean): void {
    for (const [target, slots] of this.#scopes.get(scope) ?? []) {
      for (const [value, slot] of slots) if (test(slot.content, target)) this.#delete(scope, target, value);
    }
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
  #sweepAll(): void {
    const now = this.#clock.monotonic();
    if (now - this.#sweptAt < 1000) return;
    this.#sweptAt = now;
    this.#walk = undefined;
    this.sweep(this.#size + 1);
  }

  /** The iterators of a Map bear what changes meanwhile. */
  *#lookAtAll(): Generator<void, void> {
    for (const [scope, targets] of this.#scopes) {
      for (const [target, slots] of targets) {
        for (const [value, slot] of slots) {
          if (this.#isPast(slot)) this.#delete(scope, target, value);
          yield;
        }
      }
    }
  }

  #isPast({ expiresAt, keptUntil }: Slot<V>): boolean {
    const now = this.#clock.now() / 1000;
    return expiresAt !== undefined && now >= expiresAt + marginSeconds && this.#clock.monotonic() >= keptUntil;
  }

  #keptUntil(expiresAt: number | undefined): number {
    if (expiresAt === undefined) return Infinity;
    const leftSeconds = Math.max(0, expiresAt - this.#clock.now() / 1000);
    return this.#clock.monotonic() + (leftSeconds + marginSeconds) * 1000;
  }

  #delete(scope: string, target: RevocationTarget, value: string): void {
    const targets = this.#scopes.get(scope);
    const slots = targets?.get(target);
    if (slots?.delete(value) !== true) return;
    this.#size--;
    if (slots.size === 0) targets?.delete(target);
    if (targets?.size === 0) this.#scopes.delete(scope);
  }
}

function laterOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.max(a, b);
}

function getOrMake<K, T>(map: Map<K, T>, key: K, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

import type { Clock } from '../../../core/ports.ts';
import type { Revocation } from '../../../core/revocation.ts';
import type { CredentialNames } from './credential-names.ts';
import { createRoom, type Room } from './room.ts';
import { scopeKey } from './scope-key.ts';
import { createTargetTable, laterOf, marginSeconds, type TargetTable } from './target-table.ts';

/** The revocations of one source. */
export interface RevocationTable {
  readonly size: number;
  /** `full`: nothing of it is in force. `widened`: with it everything that its scope issued until now is revoked. */
  add(revocation: Revocation, whenFull: 'refuse' | 'widen'): 'kept' | 'full' | 'widened';
  /** True where the credential is revoked in one of the scopes. */
  revokes(scopes: readonly string[], names: () => CredentialNames): boolean;
  sweep(count: number): void;
}

export interface RevocationTableOptions {
  readonly room: Room;
  readonly clock: Clock;
  /** By how much the clock of an issuer may be ahead of ours, seconds. */
  readonly skew: () => number;
}

/** Each is the scope of a receiver. */
const maxWidened = 10_000;
/** The place of a scope's own moment in a table by names. */
const everything = { target: 'sub', value: '*' } as const;

/** Infinity: whenever it was issued. */
type IssuedBefore = number;

/**
 * A list of bounded length. What comes from an issuer must not be lost for want of room: then the whole scope is revoked up to this second, which
 * takes the place of all that names single tokens, and moments, of it; clients get new tokens, and nobody keeps an old one. What is revoked
 * whenever it is issued has no such moment: nothing can take its place, and it is refused where there is no room.
 */
export function createRevocationTable(options: RevocationTableOptions): RevocationTable {
  return new LayeredTable(options);
}

class LayeredTable implements RevocationTable {
  readonly #clock: Clock;
  readonly #skew: () => number;
  /** What a moment can take the place of. */
  readonly #passing: TargetTable<IssuedBefore>;
  readonly #lasting: TargetTable<IssuedBefore>;
  readonly #widened: TargetTable<IssuedBefore>;
  /** The latest moment of what is passing, by scope. */
  readonly #moments = new Map<string, IssuedBefore>();

  constructor({ room, clock, skew }: RevocationTableOptions) {
    this.#clock = clock;
    this.#skew = skew;
    this.#passing = createTargetTable(room, clock);
    this.#lasting = createTargetTable(room, clock);
    this.#widened = createTargetTable(createRoom(maxWidened, 'shares'), clock);
  }

  get size(): number {
    return this.#passing.size + this.#lasting.size + this.#widened.size;
  }

  add(revocation: Revocation, whenFull: 'refuse' | 'widen'): 'kept' | 'full' | 'widened' {
    const isPassing = this.#isPassing(revocation);
    if (isPassing ? this.#putPassing(revocation) : put(this.#lasting, revocation)) return 'kept';
    if (whenFull === 'refuse' || !this.#widen(revocation, isPassing)) return 'full';
    return isPassing || put(this.#lasting, revocation) ? 'widened' : 'full';
  }

  revokes(scopes: readonly string[], names: () => CredentialNames): boolean {
    for (const scope of scopes) {
      const until = this.#moment(scope);
      if (until !== undefined && isBefore(names(), until)) return true;
      if (this.#passing.has(scope) && namesOne(this.#passing, scope, names())) return true;
      if (this.#lasting.has(scope) && namesOne(this.#lasting, scope, names())) return true;
    }
    return false;
  }

  sweep(count: number): void {
    for (const table of [this.#passing, this.#lasting, this.#widened]) table.sweep(count);
    for (const scope of this.#moments.keys()) if (!this.#passing.has(scope)) this.#moments.delete(scope);
  }

  #moment(scope: string): IssuedBefore | undefined {
    return this.#widened.has(scope) ? this.#widened.get(scope, everything.target, everything.value) : undefined;
  }

  /** A moment that is far ahead is meant for what is still to be issued, which nobody else's is to share. */
  #isPassing({ target, issuedBefore }: Revocation): boolean {
    return target === 'jti' || (issuedBefore !== undefined && issuedBefore <= this.#seconds() + marginSeconds);
  }

  #putPassing(revocation: Revocation): boolean {
    if (!put(this.#passing, revocation)) return false;
    const scope = scopeKey(revocation.scope);
    this.#moments.set(scope, Math.max(this.#moments.get(scope) ?? 0, revocation.issuedBefore ?? 0));
    return true;
  }

  /**
   * Of its scope, all that a moment can replace, and the revocation with it where it can be: the moment is none earlier than theirs or than any
   * token can have been issued by now, and lasts as long as the last of them. At the cost of one entry, however many it replaces.
   */
  #widen({ scope, issuedBefore, expiresAt }: Revocation, isReplaced: boolean): boolean {
    const key = scopeKey(scope);
    const replaced = this.#passing.latestEnd(key);
    if (replaced === undefined && !isReplaced) return false;
    const moment = Math.max(
      this.#seconds() + 1 + Math.ceil(this.#skew()),
      this.#moment(key) ?? 0,
      this.#moments.get(key) ?? 0,
      isReplaced ? (issuedBefore ?? 0) : 0,
    );
    const end = replaced === undefined ? expiresAt : laterOf(replaced.expiresAt, expiresAt);
    if (!this.#widened.set({ scope, ...everything }, moment, end)) return false;
    this.#passing.clear(scope);
    this.#moments.delete(key);
    return true;
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}

function put(entries: TargetTable<IssuedBefore>, revocation: Revocation): boolean {
  const { scope, target, value, issuedBefore = Infinity, expiresAt } = revocation;
  const known = entries.get(scopeKey(scope), target, value) ?? -Infinity;
  return entries.set({ scope, target, value }, Math.max(known, issuedBefore), expiresAt);
}

function namesOne(entries: TargetTable<IssuedBefore>, scope: string, credential: CredentialNames): boolean {
  return credential.names.some(([target, value]) => {
    const issuedBefore = entries.get(scope, target, value);
    return issuedBefore !== undefined && isBefore(credential, issuedBefore);
  });
}

/** What does not say when it was issued was issued before. */
function isBefore({ issuedAt }: CredentialNames, moment: IssuedBefore): boolean {
  return issuedAt === undefined || issuedAt < moment;
}

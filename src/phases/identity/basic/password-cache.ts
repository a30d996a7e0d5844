import type { Clock } from '../../../core/ports.ts';
import { createBoundedCache } from '../../../std/bounded-cache.ts';
import { deadlineIn, isOver, type Deadline } from '../../../std/deadline.ts';
import type { BasicUser } from './parse-htpasswd.ts';

/** Names and passwords that were right. Only these come in, so that nothing a stranger sends pushes anybody out. */
export interface PasswordCache {
  /** `digest` is that of name and password under a key of this process; neither is kept. */
  isRight(digest: string, user: BasicUser): boolean;
  remember(digest: string, user: BasicUser): void;
  /** Forgets everybody who is not among them any more, or has another hash. */
  keepOnly(users: ReadonlyMap<string, BasicUser>): void;
  readonly entries: number;
}

interface Entry {
  readonly user: BasicUser;
  readonly until: Deadline;
}

/** A key, and what stands around it. */
const entryBytes = 200;

export function createPasswordCache(
  clock: Clock,
  { maxEntries, ttlMs }: { readonly maxEntries: number; readonly ttlMs: number },
): PasswordCache {
  const cache = createBoundedCache<Entry>({ maxEntries, maxBytes: maxEntries * entryBytes });
  return {
    isRight: (digest, user) => {
      const entry = cache.get(digest);
      if (entry === undefined) return false;
      if (entry.user === user && !isOver(entry.until, clock)) return true;
      cache.delete(digest);
      return false;
    },
    remember: (digest, user) => cache.set(digest, { user, until: deadlineIn(ttlMs, clock) }, entryBytes),
    keepOnly: (users) => cache.deleteWhere(({ user }) => users.get(user.name) !== user),
    get entries() {
      return cache.entries;
    },
  };
}

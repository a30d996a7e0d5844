/** How many entries there may be, together and of one namespace. An owner is the name of a namespace; empty: what concerns the whole cluster. */
export interface Room {
  readonly size: number;
  /** True where so many more of the owner find room. */
  fits(owner: string, count: number): boolean;
  /** Counts one more, whether it fits or not. */
  take(owner: string): void;
  giveBack(owner: string, count: number): void;
}

/** Every namespace may write a provider of an issuer of its own, which says what it likes: none may use up what others need. */
const namespaceShare = 1 / 4;
const namespacesShare = 3 / 4;

/**
 * With `shares` a namespace has a quarter at most, and all of them three quarters, so that there is always room for the issuers of the cluster.
 * Without, for what operators write, all is everybody's.
 */
export function createRoom(max: number, shares: 'shares' | 'no shares'): Room {
  const ofOne = shares === 'shares' ? Math.max(1, Math.floor(max * namespaceShare)) : max;
  const ofAll = shares === 'shares' ? Math.max(1, Math.floor(max * namespacesShare)) : max;
  const counts = new Map<string, number>();
  let size = 0;
  const count = (owner: string, change: number): void => {
    size += change;
    const next = (counts.get(owner) ?? 0) + change;
    if (next === 0) counts.delete(owner);
    else counts.set(owner, next);
  };
  return {
    get size() {
      return size;
    },
    fits: (owner, more) => {
      if (size + more > max) return false;
      if (owner === '') return true;
      const ofNamespaces = size - (counts.get('') ?? 0);
      return (counts.get(owner) ?? 0) + more <= ofOne && ofNamespaces + more <= ofAll;
    },
    take: (owner) => count(owner, 1),
    giveBack: (owner, less) => count(owner, -less),
  };
}

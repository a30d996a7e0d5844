import type { MaterialFollower } from './material-follower.ts';
import { isRoute, type ReferredMaterials } from './reference-budgets.ts';
import type { References } from './references.ts';

/** Of which namespaces hostnames of routes are not known that enforced policies are attached to. */
export interface UnreservedNamespaces {
  /** Follows what is referred to by now. What is new counts when it is bound. */
  follow(referred: ReferredMaterials): Promise<void>;
  /** What was noted is about to be in force. */
  bind(): void;
  /** Because there are more routes than are followed, because the server did not answer yet, or because what it answered cannot be read. */
  all(): ReadonlySet<string>;
}

export function createUnreservedNamespaces(
  references: Pick<References, 'all'>,
  materials: Pick<MaterialFollower, 'follow' | 'pending' | 'unread'>,
): UnreservedNamespaces {
  let excess: ReadonlySet<string> = new Set();
  /** Those that are followed for what is only noted. */
  const unbound = new Set<string>();
  return {
    follow: (referred) => {
      const known = new Set(materials.pending);
      const begun = materials.follow(referred);
      for (const key of materials.pending) if (!known.has(key)) unbound.add(key);
      return begun;
    },
    bind: () => {
      unbound.clear();
      excess = references.all().unreserved;
    },
    all: () => {
      const { refs } = references.all();
      const unknown = [...materials.pending, ...materials.unread.keys()].filter((key) => !unbound.has(key));
      const routes = unknown.flatMap((key) => refs.get(key) ?? []);
      const reserving = routes.filter((ref) => isRoute(ref) && !('isShadow' in ref && ref.isShadow));
      return new Set([...excess, ...reserving.map(({ namespace }) => namespace)]);
    },
  };
}

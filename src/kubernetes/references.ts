import type { Clock } from '../core/ports.ts';
import { materialKey, type MaterialRef } from '../policy/spec.ts';
import { isAsStrong, type Claim } from './claim-budget.ts';
import { createReferenceBudgets, isRoute, type ReferredMaterials } from './reference-budgets.ts';

/** What the documents refer to, kept up with their changes. */
export interface References {
  /** Takes note of what the newest version of a document refers to. `createdAt`: of the document, milliseconds since the epoch. */
  note(source: string, refs: readonly MaterialRef[], createdAt?: number): void;
  /** What is needed of it, judged: by the version in force, and by a newer one that was refused. */
  settle(source: string, refs: readonly MaterialRef[]): void;
  /** The document is gone. Its routes stay for a while (`lingerMs`). */
  forget(source: string): void;
  /** True while there are routes of documents that are gone. */
  lingers(): boolean;
  /** Keys of what the document refers to. */
  of(source: string): readonly string[];
  /** True where something is referred to and not followed. */
  isLeftOut(key: string): boolean;
  /** The same object until something of it is another. */
  all(): ReferredMaterials;
}

/**
 * How long the routes of a policy that is gone are followed, milliseconds. A policy is deleted and made anew by tools that cannot update it; would
 * its routes have to be read again first, their hostnames would not be reserved in the meantime, and not at all where they cannot be read now.
 */
export const lingerMs = 30_000;

/** What there is of a document. */
interface Referring {
  readonly createdAt: number;
  readonly newest: readonly Claim[];
  readonly settled: readonly Claim[];
  /** Of what is settled, what the newest version does not refer to, or only as a shadow. */
  readonly beside: readonly Claim[];
}

const nothing: Referring = { createdAt: 0, newest: [], settled: [], beside: [] };

export function createReferences(clock: Pick<Clock, 'monotonic'>): References {
  const sources = new Map<string, Referring>();
  const gone = new Map<string, { readonly claims: readonly Claim[]; readonly until: number }>();
  const budgets = createReferenceBudgets();
  const put = (source: string, { createdAt, newest, settled }: Omit<Referring, 'beside'>): void => {
    const before = sources.get(source) ?? nothing;
    const own = new Map(newest.map((claim) => [claim.key, claim]));
    const isMet = (first: Claim | undefined, claim: Claim): boolean => isAsStrong(first, claim) && covers(first, claim);
    const beside = settled.filter((claim) => !isMet(own.get(claim.key), claim));
    if (newest.length + settled.length === 0) sources.delete(source);
    else sources.set(source, { createdAt, newest, settled, beside });
    budgets.replace('newest', before.newest, newest);
    budgets.replace('beside', before.beside, beside);
  };
  const linger = (source: string, claims: readonly Claim[]): void => {
    budgets.replace('beside', gone.get(source)?.claims ?? [], claims);
    gone.delete(source);
    // The last is the one that stays longest.
    if (claims.length > 0) gone.set(source, { claims, until: clock.monotonic() + lingerMs });
  };
  const endLinger = (): void => {
    for (const [source, { until }] of gone) {
      if (clock.monotonic() < until) return;
      linger(source, []);
    }
  };
  return {
    note: (source, refs, at) => {
      const known = sources.get(source) ?? nothing;
      const createdAt = at ?? known.createdAt;
      const settled = known.settled.map((one) => (one.createdAt === createdAt ? one : { ...one, createdAt }));
      put(source, { createdAt, newest: toClaims(source, refs, createdAt), settled });
    },
    settle: (source, refs) => {
      const known = sources.get(source) ?? nothing;
      put(source, { ...known, settled: toClaims(source, refs, known.createdAt) });
    },
    forget: (source) => {
      const { newest, settled } = sources.get(source) ?? nothing;
      const routes = [...settled, ...newest].filter(({ ref }) => isRoute(ref));
      put(source, nothing);
      if (routes.length > 0) linger(source, distinct(routes.map((claim) => ({ ...claim, standing: 'gone' }))));
    },
    lingers: () => {
      endLinger();
      return gone.size > 0;
    },
    of: (source) => {
      const { newest, settled } = sources.get(source) ?? nothing;
      return distinct([...settled, ...newest]).map(({ key }) => key);
    },
    isLeftOut: (key) => budgets.isLeftOut(key),
    all: () => {
      endLinger();
      return budgets.all();
    },
  };
}

function toClaims(source: string, refs: readonly MaterialRef[], createdAt: number): readonly Claim[] {
  return distinct(
    refs.map((ref): Claim => {
      const isShadow = 'isShadow' in ref && ref.isShadow;
      return { key: materialKey(ref), ref, source, createdAt, standing: isShadow ? 'shadow' : 'enforced' };
    }),
  );
}

/** True where whoever reads the first for its claim has what the other asks for. */
function covers(first: Claim | undefined, { ref }: Claim): boolean {
  if (first === undefined) return false;
  const asked = 'name' in first.ref ? first.ref.keys : undefined;
  return !('name' in ref) || (ref.keys ?? []).every((key) => asked?.includes(key) === true);
}

function distinct(claims: readonly Claim[]): readonly Claim[] {
  return [...new Map(claims.map((claim) => [claim.key, claim])).values()];
}

import type { Clock } from '../core/ports.ts';
import { materialKey, type MaterialRef } from '../policy/spec.ts';

/** What the documents refer to, kept up with their changes. */
export interface References {
  /** Takes note of what a document that came or changed refers to, before anybody judged it. `createdAt`: of the document, milliseconds since the epoch. */
  note(source: string, refs: readonly MaterialRef[], createdAt?: number): void;
  /** What is needed of it, judged: by the version in force, and by a newer one that was refused. It takes the place of the note. */
  settle(source: string, refs: readonly MaterialRef[]): void;
  /** The document is gone. Its routes stay for a while (`lingerMs`). */
  forget(source: string): void;
  /** True while there are routes of documents that are gone. */
  lingers(): boolean;
  /** Keys of what the document refers to. */
  of(source: string): readonly string[];
  all(): ReferredMaterials;
}

export interface ReferredMaterials {
  /** By key, those of all documents, but of each kind and namespace no more than are followed: those of the oldest documents. */
  readonly refs: ReadonlyMap<string, MaterialRef>;
  /** The keys of those that are left out. */
  readonly leftOut: ReadonlySet<string>;
  /** The namespaces of which some are left out. */
  readonly excessive: ReadonlySet<string>;
}

/** Each is a connection to the API server, in every replica: a namespace must not have as many as it has documents. */
export const maxMaterials = 100;

/**
 * How long the routes of a policy that is gone are followed, milliseconds. A policy is deleted and made anew by tools that cannot update it; would
 * its routes have to be read again first, their hostnames would not be reserved in the meantime, and not at all where they cannot be read now.
 */
export const lingerMs = 30_000;

/** Who refers to something. */
interface Claim {
  readonly ref: MaterialRef;
  readonly source: string;
  readonly createdAt: number;
}

export function createReferences(clock: Pick<Clock, 'monotonic'>): References {
  const settled = new Map<string, readonly MaterialRef[]>();
  const noted = new Map<string, readonly MaterialRef[]>();
  const createdAt = new Map<string, number>();
  const gone = new Map<string, { readonly routes: readonly MaterialRef[]; readonly until: number }>();
  const put = (map: typeof settled, source: string, refs: readonly MaterialRef[]): void => {
    if (refs.length === 0) map.delete(source);
    else map.set(source, refs);
  };
  const ofSource = (source: string): readonly MaterialRef[] => [
    ...(settled.get(source) ?? []),
    ...(noted.get(source) ?? []),
  ];
  const endLinger = (): void => {
    for (const [source, { until }] of gone) if (clock.monotonic() >= until) gone.delete(source);
  };
  function* claims(): Iterable<Claim> {
    for (const map of [settled, noted])
      for (const [source, refs] of map)
        for (const ref of refs) yield { ref, source, createdAt: createdAt.get(source) ?? 0 };
    // Behind everybody who is there.
    for (const [source, { routes }] of gone) for (const ref of routes) yield { ref, source, createdAt: Infinity };
  }
  return {
    note: (source, refs, at) => {
      put(noted, source, refs);
      if (at !== undefined) createdAt.set(source, at);
    },
    settle: (source, refs) => {
      put(settled, source, refs);
      noted.delete(source);
    },
    forget: (source) => {
      const routes = ofSource(source).filter(isRoute);
      if (routes.length > 0) gone.set(source, { routes, until: clock.monotonic() + lingerMs });
      for (const map of [settled, noted, createdAt]) map.delete(source);
    },
    lingers: () => {
      endLinger();
      return gone.size > 0;
    },
    of: (source) => ofSource(source).map(materialKey),
    all: () => {
      endLinger();
      return select(claims());
    },
  };
}

function isRoute({ kind }: MaterialRef): boolean {
  return kind === 'HTTPRoute' || kind === 'GRPCRoute';
}

/** The same on every replica, whatever it heard of first. */
function select(claims: Iterable<Claim>): ReferredMaterials {
  // By kind: many routes must not cost a provider its keys.
  const budgets = new Map<string, Map<string, Claim>>();
  for (const claim of claims) {
    const { kind, namespace } = claim.ref;
    const budget = `${kind} ${namespace}`;
    const key = materialKey(claim.ref);
    const oldest = budgets.get(budget) ?? new Map<string, Claim>();
    budgets.set(budget, oldest);
    const known = oldest.get(key);
    if (known === undefined || compareClaims(claim, known) < 0) oldest.set(key, claim);
  }
  const refs = new Map<string, MaterialRef>();
  const leftOut = new Set<string>();
  const excessive = new Set<string>();
  for (const oldest of budgets.values()) {
    const sorted = oldest.size <= maxMaterials ? [...oldest] : [...oldest].sort(compareEntries);
    for (const [index, [key, { ref, createdAt }]] of sorted.entries()) {
      if (index < maxMaterials) refs.set(key, ref);
      else if (createdAt < Infinity) {
        leftOut.add(key);
        excessive.add(ref.namespace);
      }
    }
  }
  return { refs, leftOut, excessive };
}

function compareEntries(a: readonly [string, Claim], b: readonly [string, Claim]): number {
  return compareClaims(a[1], b[1]) || (a[0] < b[0] ? -1 : 1);
}

function compareClaims(a: Claim, b: Claim): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.source === b.source ? 0 : a.source < b.source ? -1 : 1;
}

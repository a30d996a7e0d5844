import type { MaterialRef } from '../policy/spec.ts';
import { createClaimBudget, type Claim, type ClaimBudget } from './claim-budget.ts';

export interface ReferredMaterials {
  /** By key, those that are followed, each with all keys of its data that anybody asks for. It is kept up with changes. */
  readonly refs: ReadonlyMap<string, MaterialRef>;
  /** By `groupOf`, the keys of those that are followed: first what the newest versions refer to, each with the oldest reference first. Kept up too. */
  readonly orders: ReadonlyMap<string, readonly string[]>;
  /** The namespaces of which some are left out. */
  readonly excessive: ReadonlySet<string>;
  /** Those of them of which routes are left out that enforced policies are attached to. */
  readonly unreserved: ReadonlySet<string>;
}

/**
 * Each is a connection to the API server, in every replica: a namespace must not have as many as it has documents. So many of a kind are followed
 * for the newest versions of its documents, which every replica knows, and as many beside them for what only some replicas know: versions that
 * are in force though a newer one was refused, and documents that are gone.
 */
export const maxMaterials = 100;

/** Of one kind and namespace: many routes must not cost a provider its keys. */
interface Budget {
  readonly group: string;
  readonly namespace: string;
  readonly isOfRoutes: boolean;
  readonly newest: ClaimBudget;
  readonly beside: ClaimBudget;
  followed: ReadonlyMap<string, MaterialRef>;
}

export interface ReferenceBudgets {
  /** Puts the claims of a document in the place of those that it had. */
  replace(part: 'newest' | 'beside', before: readonly Claim[], after: readonly Claim[]): void;
  /** True where it is referred to and not followed. */
  isLeftOut(key: string): boolean;
  /** The same object until something of it is another. */
  all(): ReferredMaterials;
}

export function createReferenceBudgets(): ReferenceBudgets {
  const budgets = new Map<string, Budget>();
  /** By key of what is referred to. */
  const refs = new Map<string, MaterialRef>();
  const orders = new Map<string, readonly string[]>();
  const touched = new Set<Budget>();
  const excesses = new Map<Budget, Excess>();
  let current: ReferredMaterials = { refs, orders, excessive: new Set(), unreserved: new Set() };
  const budgetOf = (ref: MaterialRef): Budget => {
    const { kind, namespace } = ref;
    const key = groupOf(ref);
    const known = budgets.get(key);
    if (known !== undefined) return known;
    const parts = { newest: createClaimBudget(maxMaterials), beside: createClaimBudget(maxMaterials) };
    const budget = { group: key, namespace, isOfRoutes: isRoute({ kind }), ...parts, followed: new Map() };
    budgets.set(key, budget);
    return budget;
  };
  const review = (budget: Budget): void => {
    const { group, newest, beside, followed } = budget;
    const now = new Map<string, MaterialRef>();
    for (const { key, ref, standing } of [...newest.followed(), ...beside.followed()])
      if (!now.has(key) || standing === 'enforced')
        now.set(key, withKeys(ref, [...newest.asked(key), ...beside.asked(key)]));
    for (const key of followed.keys()) if (!now.has(key)) refs.delete(key);
    for (const [key, ref] of now) refs.set(key, ref);
    if (now.size === 0) orders.delete(group);
    else orders.set(group, [...now.keys()]);
    budget.followed = now;
    const excess = excessOf(budget);
    if (excess === undefined) excesses.delete(budget);
    else excesses.set(budget, excess);
  };
  const all = (): ReferredMaterials => {
    if (touched.size === 0) return current;
    for (const budget of touched) review(budget);
    touched.clear();
    const found = [...excesses];
    const unreserved = found.filter(([, excess]) => excess === 'unreserved');
    current = { refs, orders, excessive: namespacesOf(found), unreserved: namespacesOf(unreserved) };
    return current;
  };
  return {
    replace: (part, before, after) => {
      if (before === after || before.length + after.length === 0) return;
      for (const claim of before) budgetOf(claim.ref)[part].delete(claim);
      for (const claim of after) budgetOf(claim.ref)[part].add(claim);
      for (const { ref } of [...before, ...after]) touched.add(budgetOf(ref));
    },
    isLeftOut: (key) => {
      const budget = all().refs.has(key) ? undefined : budgets.get(key.slice(0, key.search(/[/?]/)));
      return budget !== undefined && (budget.newest.isLeftOut(key) || budget.beside.isLeftOut(key));
    },
    all,
  };
}

/** `ConfigMap shop`: what is bounded together. */
export function groupOf({ kind, namespace }: MaterialRef): string {
  return `${kind} ${namespace}`;
}

function withKeys(ref: MaterialRef, asked: readonly string[]): MaterialRef {
  if (!('name' in ref) || ref.keys === undefined) return ref;
  return { ...ref, keys: [...new Set(asked)].sort() };
}

type Excess = 'left-out' | 'unreserved';

/** Nobody misses the routes of documents that are gone. */
function excessOf({ isOfRoutes, newest, beside }: Budget): Excess | undefined {
  const standings = [newest, beside].map((part) => part.firstLeftOut()?.standing);
  if (isOfRoutes && standings.includes('enforced')) return 'unreserved';
  return standings.some((standing) => standing === 'enforced' || standing === 'shadow') ? 'left-out' : undefined;
}

function namespacesOf(excesses: readonly (readonly [Budget, Excess])[]): ReadonlySet<string> {
  return new Set(excesses.map(([{ namespace }]) => namespace));
}

export function isRoute({ kind }: Pick<MaterialRef, 'kind'>): boolean {
  return kind === 'HTTPRoute' || kind === 'GRPCRoute';
}

import type { DenialDressing } from '../phases/response/compile-denial.ts';
import type { CompiledPolicy, CompiledRule, DeniedRule } from './compile-policy.ts';
import { acceptedByAll, firstDressed, type AcceptedPaths, type PolicyPart } from './policy-part.ts';
import { joinIndexes, type RouteIndex } from './route-index.ts';

/** All that stands over a request: the parts of its name, of its route's rule, of its route, of its host and of wider patterns. */
export interface PolicyGroup {
  /** The policies whose Allow rules decide (S6). */
  readonly nearest: readonly CompiledPolicy[];
  /** Their parts: one, but where a policy in shadow mode is put beside others. */
  readonly nearestParts: readonly PolicyPart[];
  /** From near to far. The Denied rules, addresses and paths of all hold. */
  readonly parts: readonly PolicyPart[];
  /** The Allow rules of the nearest. */
  readonly rules: RouteIndex<CompiledRule>;
  /** The Denied rules of every part. */
  readonly denied: RouteIndex<DeniedRule>;
  /** A refused policy among the nearest that takes every request, where there is one. */
  readonly refusedBy: string | undefined;
  /** What paths all parts accept. */
  readonly paths: AcceptedPaths;
  /** How a request is answered that no rule decides. */
  readonly dress: DenialDressing | undefined;
}

const plainPaths: AcceptedPaths = { stripParameters: false, allowEncoded: new Set() };

/** What stands over requests that `nearestParts` decide and `covering` restrict. Cheap, however many policies there are. */
export function createGroup(nearestParts: readonly PolicyPart[], covering: readonly PolicyPart[]): PolicyGroup {
  const parts = covering.length < 2 ? covering : [...new Set(covering)];
  const [nearest, ...beside] = nearestParts;
  return {
    nearest: nearest !== undefined && beside.length === 0 ? nearest.policies : policiesOf(nearestParts),
    nearestParts,
    parts,
    rules: joinIndexes(
      nearestParts.map(({ rules }) => rules),
      isDisjoint(nearestParts),
    ),
    denied: joinIndexes(
      parts.map(({ denied }) => denied),
      isDisjoint(parts),
    ),
    refusedBy: nearestParts.find(({ refusedBy }) => refusedBy !== undefined)?.refusedBy,
    paths: acceptedByAll(parts.flatMap(({ paths }) => paths ?? [])) ?? plainPaths,
    dress: firstDressed(nearestParts.flatMap(({ dressed }) => dressed ?? []))?.dress,
  };
}

/** Every policy that stands over the request, from near to far. */
export function coveringPolicies({ parts }: PolicyGroup): readonly CompiledPolicy[] {
  return policiesOf(parts);
}

/** The policies that restrict addresses, from near to far. */
export function restrictingPolicies({ parts }: PolicyGroup): readonly CompiledPolicy[] {
  const [only, ...others] = parts;
  if (only !== undefined && others.length === 0) return only.restricting;
  const all = parts.flatMap(({ restricting }) => restricting);
  return isDisjoint(parts) ? all : [...new Set(all)];
}

/** What is attached at one place alone is in one part. */
function isDisjoint(parts: readonly PolicyPart[]): boolean {
  return parts.length < 2 || parts.filter(({ isElsewhere }) => isElsewhere).length < 2;
}

function policiesOf(parts: readonly PolicyPart[]): readonly CompiledPolicy[] {
  return [...new Set(parts.flatMap(({ policies }) => policies))];
}

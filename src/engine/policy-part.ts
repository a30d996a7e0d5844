import type { CompiledPolicy, CompiledRule, DeniedRule } from './compile-policy.ts';
import { compileOnce } from '../std/shared-values.ts';
import { runAtOnce, type Steps } from '../std/steps.ts';
import { buildRouteIndex, type RouteIndex } from './route-index.ts';

/**
 * The policies that are attached at one place: a host pattern, a route, a rule of one, or a name. What stands over a request is a list of
 * such parts (`policy-group.ts`); each is made once, when a policy of it changes, and nothing is made of two of them together.
 */
export interface PolicyPart {
  readonly policies: readonly CompiledPolicy[];
  readonly namespaces: ReadonlySet<string>;
  /** True where one of the policies is attached at other places too. */
  readonly isElsewhere: boolean;
  readonly rules: RouteIndex<CompiledRule>;
  readonly denied: RouteIndex<DeniedRule>;
  /** A refused policy that takes every request of the place, where there is one. */
  readonly refusedBy: string | undefined;
  /** The policies that restrict addresses. */
  readonly restricting: readonly CompiledPolicy[];
  /** What paths all of the policies accept that say something of it; undefined: none does. */
  readonly paths: AcceptedPaths | undefined;
  /** The first by name that says how requests are denied that no rule decides. */
  readonly dressed: CompiledPolicy | undefined;
}

/** The forms of paths that are accepted beside the plain one. */
export interface AcceptedPaths {
  readonly stripParameters: boolean;
  readonly allowEncoded: ReadonlySet<string>;
}

/** Makes the part of some policies, or gives the one that it made of the same ones. */
export function shareParts(): typeof buildPart {
  const parts = new Map<string, PolicyPart>();
  const numbers = new Map<CompiledPolicy, number>();
  const numberOf = (policy: CompiledPolicy): number => {
    const number = numbers.get(policy) ?? numbers.size;
    numbers.set(policy, number);
    return number;
  };
  return function* (policies) {
    const name = policies.map(numberOf).join(' ');
    const part = parts.get(name) ?? (yield* buildPart(policies));
    parts.set(name, part);
    return part;
  };
}

/** The part of one policy alone: of a name, or of a policy that only watches. */
export const partOf = compileOnce((policy: CompiledPolicy): PolicyPart => runAtOnce(buildPart([policy])));

/** A few policies at a time: thousands may be attached to one host or route. */
function* buildPart(policies: readonly CompiledPolicy[]): Steps<PolicyPart> {
  const settings = policies.flatMap(({ paths }) => paths ?? []);
  return {
    policies,
    namespaces: new Set(policies.map(({ namespace }) => namespace)),
    isElsewhere: policies.some(({ hosts, targets }) => hosts.length + targets.length > 1),
    rules: yield* buildRouteIndex(policies.map(({ rules }) => rules)),
    denied: yield* buildRouteIndex(policies.map(({ denied }) => denied)),
    refusedBy: policies.find(({ refusesAll }) => refusesAll)?.id,
    restricting: policies.filter(({ addresses }) => addresses !== undefined),
    paths: acceptedByAll(
      settings.map(({ parameters, allowEncoded }) => ({
        stripParameters: parameters === 'Strip',
        allowEncoded: new Set(allowEncoded),
      })),
    ),
    dressed: firstDressed(policies),
  };
}

/** What all of them accept; undefined where there are none. */
export function acceptedByAll(all: readonly AcceptedPaths[]): AcceptedPaths | undefined {
  const [first, ...others] = all;
  if (first === undefined || others.length === 0) return first;
  return {
    stripParameters: all.every(({ stripParameters }) => stripParameters),
    allowEncoded: new Set(
      [...first.allowEncoded].filter((escape) => others.every(({ allowEncoded }) => allowEncoded.has(escape))),
    ),
  };
}

export function firstDressed(policies: readonly CompiledPolicy[]): CompiledPolicy | undefined {
  return policies.filter(({ dress }) => dress !== undefined).reduce<CompiledPolicy | undefined>(firstByName, undefined);
}

function firstByName(first: CompiledPolicy | undefined, policy: CompiledPolicy): CompiledPolicy {
  return first === undefined || policy.id < first.id ? policy : first;
}

import type { Request, RequestRoute } from '../core/request.ts';
import type { CandidateFate, CoveringPolicy, Trace } from '../core/trace.ts';
import { widerPatterns } from '../policy/read-host.ts';
import type { MatchSpec } from '../policy/spec.ts';
import type { CompiledPolicy, CompiledRule } from './compile-policy.ts';
import type { CompiledFloor } from './floor.ts';
import { coveringPolicies, type PolicyGroup } from './policy-group.ts';
import type { Candidate } from './route-index.ts';
import { keyOfRoute } from './route-table.ts';
import type { SelectionTrace } from './select-rules.ts';

/** Passes on what selection tells, and before it the rules that are no candidates because their path does not fit. */
export function traceSelection(
  trace: Trace,
  { nearest }: PolicyGroup,
  candidates: readonly Candidate<CompiledRule>[],
): SelectionTrace<CompiledRule> {
  const note = (rule: CompiledRule, match: MatchSpec, rank: number, fate: CandidateFate): void => {
    const { policy, name, access } = rule;
    trace.note({ kind: 'candidate', policy, rule: name, access, match: describeMatch(match), rank, fate });
  };
  for (const { rule, matches } of nearest.flatMap(({ rules }) => rules)) {
    for (const match of matches) {
      if (!candidates.some((candidate) => candidate.match.spec === match)) note(rule, match, 0, 'path');
    }
  }
  return {
    candidate: ({ rule, match }, fate) => note(rule, match.spec, match.rank, fate),
    ended: (by) => trace.note({ kind: 'search-ended', by: by.map(({ policy, name }) => ({ policy, rule: name })) }),
  };
}

/** `GET,HEAD PathPrefix /orders x-version=2 ?view=full`. */
function describeMatch({ path, methods, headers, queryParams }: MatchSpec): string {
  return [
    ...(methods === undefined ? [] : [methods.join(',')]),
    `${path.type} ${path.value}`,
    ...headers.map(({ name, value }) => `${name}=${value}`),
    ...queryParams.map(({ name, value }) => `?${name}=${value}`),
  ].join(' ');
}

/** Which policies stand over a request for the host, and why. */
export function describeCovering(
  { host, route }: Request,
  group: PolicyGroup | undefined,
  floors: readonly CompiledFloor[],
): readonly CoveringPolicy[] {
  const patterns = [host, ...widerPatterns(host)];
  const covering = (group === undefined ? [] : coveringPolicies(group)).map((policy): CoveringPolicy => {
    const role = group?.nearest.includes(policy) === true ? 'decides' : 'restricts';
    const pattern = patterns.find((one) => policy.hosts.includes(one));
    return { policy: policy.id, role, because: describeRoute(policy, route) ?? pattern ?? 'by name' };
  });
  const below = floors.map(({ id, hosts }): CoveringPolicy => {
    const because = hosts === undefined ? 'every request' : (patterns.find((one) => hosts.has(one)) ?? '');
    return { policy: id, role: 'floor', because };
  });
  return [...below, ...covering];
}

/** The route, or the rule of it, that leads to the policy; undefined where none does. */
function describeRoute({ targets }: CompiledPolicy, route: RequestRoute | undefined): string | undefined {
  if (route === undefined) return undefined;
  const key = keyOfRoute(route);
  const own = targets.filter((target) => target.route === key && ['', route.section].includes(target.section));
  const isOfRule = own.some(({ section }) => section !== '');
  return own.length === 0 ? undefined : isOfRule ? `${key}, rule ${route.section}` : key;
}

import type { CandidateFate, CoveringPolicy, Trace } from '../core/trace.ts';
import { widerPatterns } from '../policy/read-host.ts';
import type { MatchSpec } from '../policy/spec.ts';
import type { CompiledRule } from './compile-policy.ts';
import type { CompiledFloor } from './floor.ts';
import type { PolicyGroup } from './host-table.ts';
import type { Candidate } from './route-index.ts';
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
  host: string,
  group: PolicyGroup | undefined,
  floors: readonly CompiledFloor[],
): readonly CoveringPolicy[] {
  const patterns = [host, ...widerPatterns(host)];
  const covering = (group?.covering ?? []).map((policy): CoveringPolicy => {
    const role = group?.nearest.includes(policy) === true ? 'decides' : 'restricts';
    const pattern = patterns.find((one) => policy.hosts.includes(one));
    return { policy: policy.id, role, because: policy.attachment === 'Named' ? 'by name' : (pattern ?? '') };
  });
  const below = floors.map(({ id, hosts }): CoveringPolicy => {
    const because = hosts === undefined ? 'every request' : (patterns.find((one) => hosts.has(one)) ?? '');
    return { policy: id, role: 'floor', because };
  });
  return [...below, ...covering];
}

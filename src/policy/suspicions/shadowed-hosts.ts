import type { SetMember } from '../check-set.ts';
import type { Problem } from '../../core/problem.ts';
import { createProblemList } from '../problem-list.ts';
import { widerPatterns } from '../read-host.ts';
import type { AccessPolicySpec } from '../spec.ts';

type Member = SetMember<AccessPolicySpec>;

/** S9: a policy in shadow mode is as if deleted; warns where a wider one decides in its place. By the key of the policy in shadow mode. */
export function shadowWarnings(members: readonly Member[]): ReadonlyMap<string, readonly Problem[]> {
  const warnings = new Map<string, readonly Problem[]>();
  const shadows = members.filter(({ spec }) => spec.mode === 'Shadow');
  if (shadows.length === 0) return warnings;
  const byPattern = new Map<string, string>();
  for (const { spec } of members) {
    if (spec.mode !== 'Enforce') continue;
    for (const pattern of spec.hosts) byPattern.set(pattern, `${spec.namespace}/${spec.name}`);
  }
  for (const { key, spec, document } of shadows) {
    const problems = createProblemList({ ...document, problems: [] });
    for (const host of spec.hosts) {
      const wider = byPattern.has(host) ? undefined : widerPatterns(host).find((pattern) => byPattern.has(pattern));
      if (wider === undefined) continue;
      const message = `in shadow mode the policy is as if deleted: requests for ${host} are decided by ${byPattern.get(wider) ?? ''} (${wider}) meanwhile`;
      problems.warning('shadow-wider-decides', ['spec', 'mode'], message);
    }
    if (problems.all.length > 0) warnings.set(key, problems.all);
  }
  return warnings;
}

import type { AccessPolicyShape, TargetRefShape } from './document-shape.ts';
import { quote, type ProblemList } from './problem-list.ts';
import { readHostPattern } from './read-host.ts';
import type { AccessPolicySpec, TargetSpec } from './spec.ts';

/** What a policy stands over: exactly one of `hosts`, `targetRefs` and `attachment` (S5). */
export function readAttachment(
  shape: AccessPolicyShape,
  problems: ProblemList,
): Pick<AccessPolicySpec, 'attachment' | 'hosts' | 'targets'> {
  const written = (['hosts', 'targetRefs', 'attachment'] as const).filter((field) => shape[field] !== undefined);
  const [first, second] = written;
  if (first === undefined) {
    problems.error(
      'missing-field',
      ['spec'],
      'spec needs the field hosts, targetRefs, or attachment: Named: say what the policy governs',
    );
  }
  if (second !== undefined) {
    problems.error(
      'invalid-value',
      ['spec', written.at(-1) ?? second],
      `a policy has exactly one of hosts, targetRefs and attachment, not ${written.join(' and ')}: leave one of them out`,
    );
  }
  return {
    attachment: shape.attachment ?? (shape.targetRefs === undefined ? 'Hosts' : 'Targets'),
    hosts: readHosts(shape.hosts ?? [], problems),
    targets: readTargets(shape.targetRefs ?? [], problems),
  };
}

function readTargets(refs: readonly TargetRefShape[], problems: ProblemList): readonly TargetSpec[] {
  const targets = new Map<string, TargetSpec>();
  for (const [index, { kind, name, sectionName = '' }] of refs.entries()) {
    const key = `${kind} ${name} ${sectionName}`;
    if (targets.has(key)) {
      const rule = sectionName === '' ? '' : `, rule ${sectionName},`;
      problems.error('duplicate-name', ['spec', 'targetRefs', index], `the ${kind} ${name}${rule} is there twice`);
    }
    targets.set(key, { kind, name, section: sectionName });
  }
  return [...targets.values()];
}

/** Reads `hosts`; patterns that are none, or there twice, are Problems. */
export function readHosts(hosts: readonly string[], problems: ProblemList): readonly string[] {
  const patterns = new Set<string>();
  for (const [index, written] of hosts.entries()) {
    const read = readHostPattern(written);
    const at = ['spec', 'hosts', index];
    if ('why' in read) problems.error('invalid-value', at, `${quote(written)} is no host: ${read.why}`);
    else if (patterns.has(read.pattern))
      problems.error('duplicate-name', at, `the host ${read.pattern} is there twice`);
    else patterns.add(read.pattern);
  }
  return [...patterns];
}

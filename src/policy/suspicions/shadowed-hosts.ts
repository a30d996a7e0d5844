import type { Problem } from '../../core/problem.ts';
import { createProblemList } from '../problem-list.ts';
import { widerPatterns } from '../read-host.ts';
import type { AccessPolicySpec, AuthorDocument } from '../spec.ts';

/**
 * S9: a policy in shadow mode is as if deleted; warns where a wider one decides in its place.
 * `decidedBy` names an enforced policy of exactly the pattern, where there is one.
 */
export function shadowWarnings(
  { namespace, hosts }: AccessPolicySpec,
  document: AuthorDocument,
  decidedBy: (pattern: string) => string | undefined,
): readonly Problem[] {
  const problems = createProblemList(document, []);
  for (const host of hosts) {
    const wider = decidedBy(host) === undefined ? widerPatterns(host).find(decidedBy) : undefined;
    if (wider === undefined) continue;
    const message = `in shadow mode the policy is as if deleted: requests for ${host} are decided by ${tellPolicy(decidedBy(wider) ?? '', namespace)} (${wider}) meanwhile`;
    problems.warning('shadow-wider-decides', ['spec', 'mode'], message);
  }
  return problems.all;
}

/** A tenant is not told what another one's policies are called (promise 6). `id`: `namespace/name`. */
function tellPolicy(id: string, namespace: string): string {
  const [owner = ''] = id.split('/', 1);
  return owner === namespace ? id : `a policy of the namespace ${owner}`;
}

import type { Problem } from '../../core/problem.ts';
import type { FindProvider } from '../check-providers.ts';
import { createProblemList } from '../problem-list.ts';
import { specKey } from '../spec-name.ts';
import type { AccessPolicySpec, AuthorDocument } from '../spec.ts';

/**
 * Warns of rules that ask what Kubernetes allows a caller whom no provider of theirs can name: without `user` only whom the API server named can
 * be asked about. Says nothing where a provider is not known.
 */
export function unknownUserWarnings(
  document: AuthorDocument,
  { rules }: AccessPolicySpec,
  find: FindProvider,
): readonly Problem[] {
  const problems = createProblemList({ ...document, problems: [] });
  for (const [index, { name, authorization, providers }] of rules.entries()) {
    const blocks = authorization === undefined ? [] : [authorization, ...authorization.anyOf];
    if (!blocks.some(({ kubernetes }) => kubernetes !== undefined && kubernetes.user === undefined)) continue;
    const found = providers.map((ref) => find(specKey(ref)));
    const couldName = found.some((one) => one === undefined || one === 'refused' || one.type === 'ServiceAccount');
    if (couldName) continue;
    const message = `the rule ${name} asks what Kubernetes allows the caller, and none of its providers is of type ServiceAccount: say user beside it, or it denies everybody`;
    problems.warning('kubernetes-user-missing', ['spec', 'rules', index, 'authorization'], message);
  }
  return problems.all;
}

import type { Problem } from '../core/problem.ts';
import { closest } from '../std/closest.ts';

/** The problems, those of a provider that does not exist with the one that may be meant. `keys`: of all documents, `Kind namespace/name`. */
export function suggestProviders(problems: readonly Problem[], keys: Iterable<string>): Problem[] {
  const providers = [...keys].map(readKey).filter(({ kind }) => kind.endsWith('IdentityProvider'));
  return problems.map((problem) => {
    if (problem.reference === undefined) return problem;
    const remedy = remedyFor(readKey(problem.reference), providers);
    return remedy === undefined ? problem : { ...problem, message: `${problem.message}; ${remedy}` };
  });
}

interface ProviderName {
  readonly kind: string;
  /** Empty for a cluster provider. */
  readonly namespace: string;
  readonly name: string;
}

function readKey(key: string): ProviderName {
  const [kind = '', id = ''] = key.split(' ');
  const [first = '', second] = id.split('/');
  return second === undefined ? { kind, namespace: '', name: first } : { kind, namespace: first, name: second };
}

function remedyFor(missing: ProviderName, providers: readonly ProviderName[]): string | undefined {
  const { kind, namespace, name } = missing;
  const namesakes = providers.filter((provider) => provider.name === name);
  const cluster = namesakes.find((provider) => provider.kind === 'ClusterIdentityProvider');
  if (cluster !== undefined) {
    return `there is a ClusterIdentityProvider ${name}: write kind: ClusterIdentityProvider beside its name`;
  }
  const [other] = namesakes;
  if (other !== undefined && kind === 'ClusterIdentityProvider')
    return `there is an IdentityProvider ${other.namespace}/${name}: leave kind out where it is of the policy's namespace`;
  if (other !== undefined) {
    const stray = other.namespace === 'default' ? ' (a document without metadata.namespace is of default)' : '';
    return `there is one in the namespace ${other.namespace}${stray}, and a policy uses those of its own and ClusterIdentityProviders`;
  }
  const near = providers.filter((provider) => provider.kind === kind && provider.namespace === namespace);
  const guess = closest(
    name,
    near.map((provider) => provider.name),
  );
  return guess === undefined ? undefined : `did you mean ${guess}?`;
}

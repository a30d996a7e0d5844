import type { ApiKeyProviderSpec, SharedSecretJwtProviderSpec } from '../../../policy/provider-spec.ts';
import type { ProviderStatus } from '../identity-provider.ts';
import type { ClientTable } from './client-table.ts';

/** What is told of a provider whose clients are Secrets. One that takes none lets nobody in, and a selector is easily misspelt. */
export function clientStatus(
  { secrets: { namespace, labels } }: ApiKeyProviderSpec | SharedSecretJwtProviderSpec,
  { size, problem }: Pick<ClientTable<unknown>, 'size' | 'problem'>,
): ProviderStatus {
  const isEmpty = size === 0 && problem === undefined;
  const wanted = labels.map(([name, value]) => `${name}=${value}`).join(', ');
  const none = isEmpty ? `the selector takes no Secret of the namespace ${namespace} (${wanted})` : undefined;
  return { keys: size, keyAgeSeconds: undefined, lastError: problem ?? none, unusable: none };
}

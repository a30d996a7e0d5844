import type { IdentityProviderSpec } from '../../../policy/provider-spec.ts';
import type { Material } from '../../../policy/read-material.ts';
import { runAtOnce } from '../../../std/steps.ts';
import { createApiKeyClients } from '../api-key/read-api-key-client.ts';
import { createConsumers } from '../shared-secret-jwt/read-consumer.ts';
import type { ClientTable } from './client-table.ts';

/** Which of the Secrets that its selector takes the provider would refuse, and why; undefined where it takes all. */
export function findRefused(spec: IdentityProviderSpec, secrets: readonly Material[]): string | undefined {
  const clients = clientsOf(spec);
  if (clients === undefined) return undefined;
  runAtOnce(clients.renew(secrets))();
  return clients.problem;
}

function clientsOf(spec: IdentityProviderSpec): ClientTable<unknown> | undefined {
  switch (spec.type) {
    case 'APIKey':
      return createApiKeyClients(spec.name);
    case 'SharedSecretJWT':
      return createConsumers(spec);
    case 'JWT':
    case 'Introspection':
    case 'ClientCertificate':
    case 'ServiceAccount':
    case 'Basic':
      return undefined;
  }
}

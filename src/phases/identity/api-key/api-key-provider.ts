import { denial } from '../../../core/decision.ts';
import { placesOf } from '../../../policy/providers/credential-forms.ts';
import type { ProviderMaterial } from '../../../policy/providers/provider-material.ts';
import type { Material } from '../../../policy/read-material.ts';
import type { ApiKeyProviderSpec } from '../../../policy/provider-spec.ts';
import { isSameBytes } from '../../../std/is-same-bytes.ts';
import { sha256Bytes } from '../../../std/sha256.ts';
import { runAtOnce, type Steps } from '../../../std/steps.ts';
import type { ClientTable } from '../clients/client-table.ts';
import { clientStatus } from '../clients/client-status.ts';
import { tellRefused } from '../clients/tell-refused.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import type { MessageProvider, VerifyResult } from '../identity-provider.ts';
import { createApiKeyClients, digestKey, type ApiKeyClient } from './read-api-key-client.ts';

/** A provider of type APIKey at work: one client a Secret, found by the hash of its key. */
export function createApiKeyProvider(
  spec: ApiKeyProviderSpec,
  { secrets }: ProviderMaterial,
  ports: IdentityPorts,
): MessageProvider {
  const clients = createApiKeyClients(spec.name);
  const tell = tellRefused(spec, clients, ports.logger);
  function* renew(next: readonly Material[]): Steps<() => void> {
    const take = yield* clients.renew(next);
    return () => {
      take();
      tell();
    };
  }
  runAtOnce(renew(secrets))();
  return {
    layer: 'message',
    spec,
    places: placesOf(spec),
    firstLoad: Promise.resolve(),
    verify: ({ token }) => verifyApiKey(token, clients, ports),
    status: () => clientStatus(spec, clients),
    renew: (material) => renew(material.secrets),
    close: () => undefined,
  };
}

/**
 * Looked up by the hash, never by the key: how long the look-up takes says something of a hash that nobody can choose, and the last word
 * has a comparison in constant time.
 */
function verifyApiKey(
  key: string,
  clients: ClientTable<ApiKeyClient>,
  { clock, settings }: IdentityPorts,
): VerifyResult {
  if (key.length > settings.maxTokenBytes) return { denial: tooLarge };
  const digest = sha256Bytes(key);
  const client = clients.get(digestKey(digest));
  if (client === undefined || !isSameBytes(client.digest, digest)) return { denial: unknownKey };
  const { expiresAt } = client.identity;
  return expiresAt === undefined || clock.now() / 1000 < expiresAt
    ? { identity: client.identity }
    : { denial: expired };
}

const tooLarge = denial('token_too_large', 'The API key is longer than any that could be right.');
const unknownKey = denial('credential_unknown', 'No client has the API key.');
const expired = denial('token_expired', 'The API key is past its end.');

import type { Identity } from '../../../core/identity.ts';
import { apiKeyField, readSealedApiKey } from '../../../policy/providers/sealed-api-key.ts';
import type { Material } from '../../../policy/read-material.ts';
import { isSameBytes } from '../../../std/is-same-bytes.ts';
import type { ClientEntry } from '../clients/client-entry.ts';
import { createClientTable, type ClientTable } from '../clients/client-table.ts';
import { readAnnotations, type ReadSecret } from '../clients/read-annotations.ts';

/** A client that has an API key, and for as long as it is good. */
export interface ApiKeyClient {
  /** The SHA-256 of the key. */
  readonly digest: Uint8Array;
  readonly identity: Identity;
}

/** The clients of the provider of that name; none yet. Each is found by `digestKey`. */
export function createApiKeyClients(provider: string): ClientTable<ApiKeyClient> {
  return createClientTable(
    (secret) => readApiKeyClient(secret, provider),
    'have the same API key, so that it works for none of them',
  );
}

const hashField = 'api-key-sha256';

/** Reads the client that a Secret is. */
function readApiKeyClient(secret: Material, provider: string): ClientEntry<ApiKeyClient> {
  const digest = readDigest(secret);
  if ('why' in digest) return { key: undefined, why: digest.why };
  const key = digestKey(digest.value);
  const annotations = readAnnotations(secret);
  if ('why' in annotations) return { key, why: annotations.why };
  const { clientId = secret.name, scopes, roles, expiresAt } = annotations.value;
  const identity: Identity = Object.freeze({
    authenticated: true,
    subject: clientId,
    issuer: '',
    provider,
    clientId,
    scopes,
    roles,
    claims: undefined,
    expiresAt,
  });
  return { key, client: { digest: digest.value, identity } };
}

export function digestKey(digest: Uint8Array): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('latin1');
}

/** `api-key-sha256`, or what is kept of `api-key`; where both are there they must say the same. */
function readDigest({ data }: Material): ReadSecret<Uint8Array> {
  const hex = data.get(hashField)?.trim();
  const sealed = data.get(apiKeyField);
  if (hex === undefined)
    return sealed === undefined ? { why: `it has neither ${hashField} nor ${apiKeyField}` } : readSealedApiKey(sealed);
  if (!/^[0-9A-Fa-f]{64}$/.test(hex)) return { why: `its ${hashField} is not of 64 hexadecimal digits` };
  const given = Buffer.from(hex, 'hex');
  const own = sealed === undefined ? undefined : readSealedApiKey(sealed);
  if (own === undefined) return { value: given };
  if ('why' in own || isSameBytes(given, own.value)) return own;
  return { why: `its ${hashField} is of another key than its ${apiKeyField}` };
}

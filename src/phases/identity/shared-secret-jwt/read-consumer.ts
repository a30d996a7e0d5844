import type { HmacAlgorithm, SharedSecretJwtProviderSpec } from '../../../policy/provider-spec.ts';
import type { Material } from '../../../policy/read-material.ts';
import { decodeBase64 } from '../../../std/base64.ts';
import { createHmacKey, type HmacKey } from '../../../std/hmac.ts';
import type { ClientEntry } from '../clients/client-entry.ts';
import { createClientTable, type ClientTable } from '../clients/client-table.ts';
import { isClientName, readAnnotations, type ClientAnnotations, type ReadSecret } from '../clients/read-annotations.ts';

/** Somebody who signs tokens with a secret that both sides have. */
export interface Consumer extends ClientAnnotations {
  readonly name: string;
  readonly key: HmacKey;
  /** Those of the provider's that the secret is long enough for. */
  readonly algorithms: ReadonlySet<string>;
  /** Of this reading of its Secret: a token is remembered under it, and forgotten with it. */
  readonly fingerprint: string;
}

/** RFC 7518 3.2: a key of the size of the hash output or larger must be used. */
const minBytes: Readonly<Record<HmacAlgorithm, number>> = { HS256: 32, HS384: 48, HS512: 64 };

type ConsumerSpec = Pick<SharedSecretJwtProviderSpec, 'algorithms' | 'secretEncoding'>;

/** The consumers of a provider, none yet. Each is found by its name. */
export function createConsumers(spec: ConsumerSpec): ClientTable<Consumer> {
  let readings = 0;
  return createClientTable(
    (secret) => readConsumer(secret, spec, `${++readings}`),
    'name the same consumer, so that none of them works',
  );
}

/** Reads the consumer that a Secret is: `key` is its name, `secret` its secret. */
function readConsumer(secret: Material, spec: ConsumerSpec, fingerprint: string): ClientEntry<Consumer> {
  const name = secret.data.get('key');
  if (name === undefined || !isClientName(name)) {
    const why = name === undefined ? 'it has no key (the name of the consumer)' : 'its key is no printable name';
    return { key: undefined, why };
  }
  const annotations = readAnnotations(secret);
  if ('why' in annotations) return { key: name, why: annotations.why };
  const bytes = readBytes(secret.data.get('secret'), spec.secretEncoding);
  if ('why' in bytes) return { key: name, why: bytes.why };
  const { length } = bytes.value;
  const algorithms = spec.algorithms.filter((algorithm) => length >= minBytes[algorithm]);
  if (algorithms.length === 0) {
    const wanted = spec.algorithms.map((algorithm) => `${minBytes[algorithm]} for ${algorithm}`).join(', ');
    return { key: name, why: `its secret has ${length} bytes, and at least ${wanted} are needed (RFC 7518 3.2)` };
  }
  const key = createHmacKey(bytes.value);
  return { key: name, client: { ...annotations.value, name, key, algorithms: new Set(algorithms), fingerprint } };
}

function readBytes(
  text: string | undefined,
  encoding: SharedSecretJwtProviderSpec['secretEncoding'],
): ReadSecret<Uint8Array> {
  if (text === undefined || text === '') return { why: `its secret is ${text === '' ? 'empty' : 'missing'}` };
  if (text.trim() !== text) return { why: 'its secret begins or ends with white space (a line break of a file?)' };
  if (encoding === 'Base64') {
    const value = decodeBase64(text);
    return value === undefined ? { why: 'its secret is not base64' } : { value };
  }
  // What is no UTF-8 has lost its bytes where it was read.
  if (text.includes('\u{FFFD}')) return { why: 'its secret is no text: use secretEncoding: Base64 for bytes' };
  // Who takes a public key for a secret lets everybody sign.
  if (text.startsWith('-----BEGIN ')) return { why: 'its secret is a key or certificate in PEM, which is no secret' };
  return { value: Buffer.from(text, 'utf8') };
}

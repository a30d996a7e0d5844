import { startSeconds } from '../../identity/identity-fixtures.ts';

type Document = Readonly<Record<string, unknown>>;

export const apiKeys = { acme: 'key-of-acme-0123456789abcdef', globex: 'key-of-globex-0123456789abcde' } as const;
export const secrets = {
  acme: 'secret-of-acme-0123456789abcdefghijk',
  other: 'another-secret-0123456789abcdefghijk',
} as const;

/** Hashes of bcrypt with few rounds: of `open sesame`, and of `other sesame`. */
export const hashes = ['$2y$04$t76bdPvPEtihK.7YHn6p4eSUthRX/k0RzYmHTt3m4y6103yig1Ed2'] as const;

const soon = new Date((startSeconds + 300) * 1000).toISOString();

function secretOf(name: string, label: string, data: Document, annotations: Document = {}): Document {
  const labels = { [`portcullis.dev/${label}`]: 'true' };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'shop', labels, annotations },
    stringData: data,
  };
}

function selecting(name: string, type: string, member: string, label: string, more: Document = {}): Document {
  const secretSelector = { matchLabels: { [`portcullis.dev/${label}`]: 'true' } };
  const spec = { type, [member]: { secretSelector, ...more } };
  return {
    apiVersion: 'portcullis.dev/v1alpha1',
    kind: 'IdentityProvider',
    metadata: { name, namespace: 'shop' },
    spec,
  };
}

/** API keys: as at first; with other scopes; one gone; one that ends soon. */
export function clientsOf(variant: number): readonly Document[] {
  const annotations = {
    'portcullis.dev/roles': variant === 1 ? 'admin' : 'reader',
    'portcullis.dev/scopes': variant === 1 ? 'none' : 'orders:read',
    ...(variant === 3 ? { 'portcullis.dev/expires': soon } : {}),
  };
  return [
    selecting('clients', 'APIKey', 'apiKey', 'client', { from: [{ header: 'x-api-key' }] }),
    ...(variant === 2 ? [] : [secretOf('client-acme', 'client', { 'api-key': apiKeys.acme }, annotations)]),
    secretOf('client-globex', 'client', { 'api-key': apiKeys.globex }),
  ];
}

/** Who signs with an HMAC: as at first; with another secret; with other roles; with an end; gone. */
export function consumersOf(variant: number): readonly Document[] {
  const annotations = {
    'portcullis.dev/roles': variant === 2 ? 'admin' : 'reader',
    ...(variant === 3 ? { 'portcullis.dev/expires': soon } : {}),
  };
  const secret = variant === 1 ? secrets.other : secrets.acme;
  return [
    selecting('consumers', 'SharedSecretJWT', 'sharedSecretJwt', 'consumer'),
    ...(variant === 4 ? [] : [secretOf('consumer-acme', 'consumer', { key: 'acme', secret }, annotations)]),
  ];
}

/** Names and passwords: as at first; alice with another one; without her. */
export function usersOf(variant: number): readonly Document[] {
  const [first] = hashes;
  const lines = [...(variant === 2 ? [] : [`alice:${variant === 1 ? otherHash : first}`]), `bob:${first}`];
  const spec = { type: 'Basic', basic: { secretRef: { name: 'htpasswd', key: 'users' } } };
  return [
    {
      apiVersion: 'portcullis.dev/v1alpha1',
      kind: 'IdentityProvider',
      metadata: { name: 'people', namespace: 'shop' },
      spec,
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'htpasswd', namespace: 'shop' },
      stringData: { users: lines.join('\n') },
    },
  ];
}

/** In form a hash; of no password that anybody sends. */
const otherHash = `$2y$04$t76bdPvPEtihK.7YHn6p4e${'a'.repeat(31)}`;

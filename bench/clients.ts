import { createHash, createHmac } from 'node:crypto';

/** What clients of the bench have: a key, or a secret for tokens. */
export type ClientKind = 'api-key' | 'hmac';

const clients = 1000;
/** The one that all of the load is of. */
const ours = 500;

/** The key of the client, as it presents it. */
export function apiKey(): string {
  return keyOf(ours);
}

/** A token of the client, of about half a kilobyte; another one for every subject. */
export function hmacToken(subject: string): string {
  const claims = {
    iss: nameOf(ours),
    sub: subject,
    exp: 4_102_444_800,
    iat: 1_795_227_000,
    jti: crypto.randomUUID(),
    scope: 'openid profile email orders.read orders.write',
    tenant: 'acme',
    email: 'alice@example.com',
  };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', secretOf(ours)).update(input).digest('base64url')}`;
}

/** The provider, named as the one with an issuer is, and the Secrets of its clients, each with the role of the policies. */
export function clientsText(kind: ClientKind): string {
  const secrets = Array.from({ length: clients }, (_client, index) => secretText(kind, index));
  return [providerText(kind), ...secrets].join('---\n');
}

function providerText(kind: ClientKind): string {
  const selector = 'secretSelector: { matchLabels: { bench: client } }';
  const spec =
    kind === 'api-key'
      ? `{ type: APIKey, apiKey: { from: [{ header: x-api-key }], ${selector} } }`
      : `{ type: SharedSecretJWT, sharedSecretJwt: { ${selector} } }`;
  return `apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: { name: bench, namespace: bench }
spec: ${spec}
`;
}

function secretText(kind: ClientKind, index: number): string {
  const data =
    kind === 'api-key'
      ? `api-key-sha256: ${createHash('sha256').update(keyOf(index)).digest('hex')}`
      : `key: ${nameOf(index)}, secret: ${secretOf(index)}`;
  return `apiVersion: v1
kind: Secret
metadata:
  name: ${nameOf(index)}
  namespace: bench
  labels: { bench: client }
  annotations: { portcullis.dev/roles: 'reader support' }
stringData: { ${data} }
`;
}

function nameOf(index: number): string {
  return `client-${index}`;
}

function keyOf(index: number): string {
  return createHash('sha256').update(`key ${index}`).digest('hex');
}

function secretOf(index: number): string {
  return createHash('sha256').update(`secret ${index}`).digest('hex');
}

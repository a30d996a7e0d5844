import { SignJWT } from 'jose';
import type { Clock, Random } from '../../../core/ports.ts';
import { textKey, type ProviderMaterial } from '../../../policy/providers/provider-material.ts';
import type { IntrospectionProviderSpec } from '../../../policy/provider-spec.ts';
import { readPrivateKey } from '../../../std/private-key.ts';

/** How the endpoint learns who asks. */
export interface IntrospectionClient {
  readonly clientId: string;
  /** What one request carries beside the token; an assertion is another one each time. */
  credentials(): Promise<ClientCredentials>;
}

export interface ClientCredentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Seconds that an assertion is good for: it is used at once. */
const assertionLifetime = 60;
/** RFC 6749 appendix A.1 and A.2: visible ASCII and spaces. */
const visibleText = /^[\x20-\x7e]{1,4096}$/;

/** The client of the spec's Secret, or why there is none, as words that hold nothing of the Secret. */
export function createIntrospectionClient(
  spec: IntrospectionProviderSpec,
  { texts }: ProviderMaterial,
  ports: { readonly clock: Clock; readonly random: Random },
): IntrospectionClient | string {
  const { method, secret } = spec.clientAuthentication;
  const place = `the Secret ${secret.namespace}/${secret.name}`;
  const read = (key: string): string | undefined => texts.get(textKey({ ...secret, kind: 'Secret', key }));
  const clientId = read('client_id');
  if (clientId === undefined) return `${place} or its key client_id is missing`;
  if (!visibleText.test(clientId)) return `client_id of ${place} ${notVisible}`;
  if (method === 'PrivateKeyJWT') {
    const pem = read('private_key');
    if (pem === undefined) return `${place} has no key private_key`;
    const keyId = read('key_id')?.trim();
    const audience = spec.issuer ?? spec.endpoint;
    const key = readPrivateKey(pem);
    if (typeof key === 'string') return `private_key of ${place} ${key}`;
    return {
      clientId,
      credentials: async () => {
        const now = Math.floor(ports.clock.now() / 1000);
        const assertion = await new SignJWT({ jti: ports.random.id() })
          .setProtectedHeader({ alg: key.algorithm, typ: 'JWT', ...(keyId ? { kid: keyId } : {}) })
          .setIssuer(clientId)
          .setSubject(clientId)
          .setAudience(audience)
          .setIssuedAt(now)
          .setExpirationTime(now + assertionLifetime)
          .sign(key.key);
        return {
          headers: {},
          parameters: {
            client_id: clientId,
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
            client_assertion: assertion,
          },
        };
      },
    };
  }
  const clientSecret = read('client_secret');
  if (clientSecret === undefined) return `${place} has no key client_secret`;
  if (!visibleText.test(clientSecret)) return `client_secret of ${place} ${notVisible}`;
  const credentials = method === 'Basic' ? toBasic(clientId, clientSecret) : toPost(clientId, clientSecret);
  return { clientId, credentials: () => Promise.resolve(credentials) };
}

const notVisible = 'is empty, too long, or has a character that is not visible ASCII (a line end, perhaps)';

/** RFC 6749 2.3.1: both are form-urlencoded before they are joined. */
function toBasic(clientId: string, clientSecret: string): ClientCredentials {
  const pair = `${formEncode(clientId)}:${formEncode(clientSecret)}`;
  return { headers: { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` }, parameters: {} };
}

function toPost(clientId: string, clientSecret: string): ClientCredentials {
  return { headers: {}, parameters: { client_id: clientId, client_secret: clientSecret } };
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

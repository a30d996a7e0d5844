import { generateKeyPairSync } from 'node:crypto';
import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { Provider } from 'oidc-provider';
import { isJsonObject, ownMember } from '../../../src/core/json.ts';
import { startLoopbackServer } from '../../../src/dev/loopback-server.ts';

/** A certified authorization server in this process: opaque tokens, and introspection in JSON (RFC 7662) or as a JWT (RFC 9701). */
export interface OidcProvider {
  readonly issuer: string;
  readonly introspectionEndpoint: string;
  /** An opaque access token of the client `web` for the resource `urn:orders`, whose audience is `orders`. */
  token(): Promise<string>;
  /** Revokes a token (RFC 7009). */
  revoke(token: string): Promise<void>;
  /** The headers of every introspection so far, in order. */
  readonly introspections: readonly IncomingHttpHeaders[];
  close(): Promise<void>;
}

/** Of the clients that may introspect: `portcullis` with Basic, `posting` with Post, `signed` with Basic and for JWTs as answers. */
export const resourceServerSecret = 'the secret + of %portcullis:';
/** Of the client `asserting`, which authenticates with private_key_jwt under the key id `portcullis-1`. */
export const assertionKey = generateKeyPairSync('rsa', { modulusLength: 2048 });

const webSecret = 'secret-of-web';
const paths = { introspection: '/token/introspection', revocation: '/token/revocation', token: '/token' };

export async function startOidcProvider(): Promise<OidcProvider> {
  const introspections: IncomingHttpHeaders[] = [];
  let handle: RequestListener = (_request, response) => void response.writeHead(503).end();
  const server = await startLoopbackServer(0, (request, response) => {
    if (request.url === paths.introspection) introspections.push(request.headers);
    handle(request, response);
  });
  const issuer = `http://127.0.0.1:${server.port}`;
  handle = new Provider(issuer, configuration()).callback();
  const post = (path: string, fields: Record<string, string>): Promise<Response> =>
    fetch(`${issuer}${path}`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`web:${webSecret}`)}` },
      body: new URLSearchParams(fields),
    });
  return {
    issuer,
    introspectionEndpoint: `${issuer}${paths.introspection}`,
    introspections,
    async token() {
      const fields = { grant_type: 'client_credentials', resource: 'urn:orders', scope: 'orders:read' };
      const body: unknown = await (await post(paths.token, fields)).json();
      const token = isJsonObject(body) ? ownMember(body, 'access_token') : undefined;
      if (typeof token !== 'string') throw new Error(`no token: ${JSON.stringify(body)}`);
      return token;
    },
    async revoke(token) {
      const answer = await post(paths.revocation, { token });
      if (!answer.ok) throw new Error(`not revoked: ${answer.status} ${await answer.text()}`);
    },
    close: () => server.close(),
  };
}

function configuration(): object {
  const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const machine = { redirect_uris: [], response_types: [], grant_types: ['client_credentials'] };
  const resourceServer = { ...machine, client_secret: resourceServerSecret };
  const publicKey = assertionKey.publicKey.export({ format: 'jwk' });
  return {
    clients: [
      { ...machine, client_id: 'web', client_secret: webSecret },
      { ...resourceServer, client_id: 'portcullis' },
      { ...resourceServer, client_id: 'posting', token_endpoint_auth_method: 'client_secret_post' },
      {
        ...machine,
        client_id: 'asserting',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...publicKey, kid: 'portcullis-1', use: 'sig' }] },
      },
      { ...resourceServer, client_id: 'signed', introspection_signed_response_alg: 'RS256' },
    ],
    jwks: { keys: [{ ...signing, kid: 'answers', use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['of no use here'] },
    scopes: ['orders:read'],
    ttl: { ClientCredentials: 300 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: () => true },
      introspection: { enabled: true, allowedPolicy: () => true },
      jwtIntrospection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'orders:read',
          audience: 'orders',
          accessTokenFormat: 'opaque',
          accessTokenTTL: 300,
        }),
      },
    },
  };
}

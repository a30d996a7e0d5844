import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import type { ServerResponse } from 'node:http';
import { sendJson, startLoopbackServer } from './loopback-server.ts';

/** An identity provider for demonstrations and tests: OpenID Connect discovery, a JWKS, and tokens for whoever asks. */
export interface Issuer {
  /** The `iss` of its tokens: `http://127.0.0.1:PORT/demo`. */
  readonly issuer: string;
  /** Signs a token with the key in use. `iss`, `iat` and an `exp` an hour away are filled in where they are not given. */
  sign(claims: TokenClaims, header?: TokenHeader): Promise<string>;
  /** Makes a new key and signs with it from now on. The old one stays in the JWKS unless it is withdrawn. */
  rotate(options?: { readonly withdrawOld: boolean }): Promise<void>;
  /** How often the JWKS was fetched. */
  readonly keyFetches: number;
  close(): Promise<void>;
}

export type TokenClaims = Readonly<Record<string, unknown>>;
/** Members of the JOSE header beside `alg` and `kid`, or in their place. */
export type TokenHeader = Readonly<Record<string, unknown>>;

export type IssuerAlgorithm = 'RS256' | 'ES256';

interface Key {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

const lifetimeSeconds = 3600;
const basePath = '/demo';

/**
 * Starts on the port of 127.0.0.1 (0: any that is free) with a key made now, of RS256 where nothing else is said. `GET /demo/token?sub=NAME&roles=A,B` answers with
 * a token, so that whoever tries the demonstration can be anybody. Throws a Failure `port_in_use`.
 */
export async function startIssuer(port: number, audience: string, alg: IssuerAlgorithm = 'RS256'): Promise<Issuer> {
  const keys = [await createKey(1, alg)];
  let made = 1;
  let keyFetches = 0;
  const server = await startLoopbackServer(port, (request, response) => {
    const url = URL.parse(request.url ?? '', 'http://127.0.0.1');
    switch (url?.pathname) {
      case `${basePath}/.well-known/openid-configuration`:
      case `/.well-known/oauth-authorization-server${basePath}`:
        sendJson(response, 200, discovery(issuerAt(request.socket.localPort), alg));
        break;
      case `${basePath}/jwks`:
        keyFetches += 1;
        sendJson(response, 200, { keys: keys.map((key) => key.publicJwk) });
        break;
      case `${basePath}/token`:
        void sendToken(response, sign(askedFor(url?.searchParams)));
        break;
      case undefined:
      default:
        sendJson(response, 404, { error: 'not_found' });
    }
  });
  const issuer = issuerAt(server.port);

  function sign(claims: TokenClaims, header: TokenHeader = {}): Promise<string> {
    const [key] = keys;
    if (key === undefined) throw new RangeError('an issuer has at least one key');
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: issuer, aud: audience, iat: now, exp: now + lifetimeSeconds, ...claims })
      .setProtectedHeader({ alg, kid: key.kid, typ: 'at+jwt', ...header })
      .sign(key.privateKey);
  }

  return {
    issuer,
    sign,
    async rotate(options = { withdrawOld: false }) {
      made += 1;
      keys.unshift(await createKey(made, alg));
      if (options.withdrawOld) keys.length = 1;
    },
    get keyFetches() {
      return keyFetches;
    },
    close: () => server.close(),
  };
}

function issuerAt(port: number | undefined): string {
  return `http://127.0.0.1:${port}${basePath}`;
}

async function createKey(number: number, alg: IssuerAlgorithm): Promise<Key> {
  const kid = `demo-${number}`;
  const { privateKey, publicKey } = await generateKeyPair(alg);
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

function discovery(issuer: string, alg: IssuerAlgorithm): object {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [alg],
  };
}

function askedFor(query: URLSearchParams | undefined): TokenClaims {
  const roles = (query?.get('roles') ?? '').split(',').filter((role) => role !== '');
  return { sub: query?.get('sub') ?? 'somebody', roles };
}

async function sendToken(response: ServerResponse, token: Promise<string>): Promise<void> {
  try {
    const text = await token;
    response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
    response.end(text);
  } catch {
    sendJson(response, 500, { error: 'server_error' });
  }
}

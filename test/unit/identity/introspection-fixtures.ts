import { generateKeyPairSync } from 'node:crypto';
import type { HttpRequest, HttpResponse } from '../../../src/core/ports.ts';
import { createIntrospectionProvider } from '../../../src/phases/identity/introspection/introspection-provider.ts';
import type { MessageProvider, VerifyResult } from '../../../src/phases/identity/identity-provider.ts';
import type { ProviderMaterial } from '../../../src/policy/providers/provider-material.ts';
import type { IntrospectionProviderSpec } from '../../../src/policy/provider-spec.ts';
import {
  audience,
  bearer,
  createWorld,
  credentialOf,
  discoveryUri,
  issuer,
  jwksUri,
  startSeconds,
  verdictOf,
  type Claims,
  type TestKey,
  type World,
} from './identity-fixtures.ts';

export const endpoint = 'https://idp.example/tenant/introspect';
export const clientId = 'portcullis';
/** The canary: it must never be seen anywhere but in what is sent to the endpoint. */
export const clientSecret = 'canary secret+/:%';
export const privateKeyPem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
}) as string;

export function introspectionSpec(changes: Partial<IntrospectionProviderSpec> = {}): IntrospectionProviderSpec {
  return {
    kind: 'IdentityProvider',
    type: 'Introspection',
    namespace: 'shop',
    name: 'opaque',
    endpoint,
    clientAuthentication: { method: 'Basic', secret: { namespace: 'shop', name: 'introspection-client' } },
    issuer,
    audiences: [audience],
    ca: undefined,
    signedAnswers: false,
    claims: { subject: 'sub', scopes: ['scope'], roles: [] },
    cacheTtl: 60,
    timeout: 2,
    from: [bearer],
    ...changes,
  };
}

/** The Secret of the client; `undefined` takes a key out. */
export function clientMaterial(changes: Readonly<Record<string, string | undefined>> = {}): ProviderMaterial {
  const data = { client_id: clientId, client_secret: clientSecret, private_key: privateKeyPem, ...changes };
  const texts = Object.entries(data).flatMap(([key, text]): [string, string][] =>
    text === undefined ? [] : [[`Secret shop/introspection-client ${key}`, text]],
  );
  return { texts: new Map(texts), secrets: [] };
}

/** The members of a good answer but for the changes; `undefined` takes one out. */
export function goodAnswer(changes: Claims = {}): Claims {
  return {
    active: true,
    iss: issuer,
    aud: audience,
    sub: 'alice',
    client_id: 'web',
    scope: 'read write',
    token_type: 'Bearer',
    exp: startSeconds + 600,
    iat: startSeconds - 10,
    ...changes,
  };
}

export function jsonResponse(body: unknown, changes: Partial<HttpResponse> = {}): HttpResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status: 200, contentType: 'application/json', body: Buffer.from(text), ...changes };
}

export interface IntrospectionWorld extends World {
  readonly provider: () => MessageProvider;
  readonly verify: (token?: string) => VerifyResult | Promise<VerifyResult>;
  /** The verdict on the token, `allow` or a code. */
  readonly judge: (token?: string) => Promise<string>;
  /** What the endpoint answers from now on. */
  readonly answer: (with_: HttpResponse | ((request: HttpRequest) => HttpResponse | Promise<HttpResponse>)) => void;
}

/** A provider whose endpoint gives the good answer until it is told another. `keys` stand at the issuer. */
export function introspectionWorld(
  changes: Partial<IntrospectionProviderSpec> = {},
  material: ProviderMaterial = clientMaterial(),
  keys: readonly TestKey[] = [],
): IntrospectionWorld {
  const world = createWorld(keys);
  world.http.answer(discoveryUri, { issuer, jwks_uri: jwksUri });
  world.http.answerSent(endpoint, () => jsonResponse(goodAnswer()));
  const provider = createIntrospectionProvider(introspectionSpec(changes), material, world.ports);
  const verify = (token = 'opaque-1'): VerifyResult | Promise<VerifyResult> => provider.verify(credentialOf(token));
  return {
    ...world,
    provider: () => provider,
    verify,
    judge: async (token) => verdictOf(await verify(token)),
    answer: (with_) => world.http.answerSent(endpoint, typeof with_ === 'function' ? with_ : () => with_),
  };
}

import { createSecretKey } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { jwtAlgorithms } from '../../../src/policy/provider-spec.ts';
import { parseProof } from '../../../src/phases/identity/dpop/parse-proof.ts';
import { createIntrospectionProvider } from '../../../src/phases/identity/introspection/introspection-provider.ts';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import { readKeySet } from '../../../src/phases/identity/jwt/key-set.ts';
import { splitToken } from '../../../src/phases/identity/jwt/parse-token.ts';
import { verifyWithKeys } from '../../../src/phases/identity/jwt/verify-signature.ts';
import { isHmac } from '../../../src/std/hmac.ts';
import { clientMaterial, endpoint, introspectionSpec, jsonResponse } from './introspection-fixtures.ts';
import {
  credentialOf,
  createWorld,
  ecKey,
  encode,
  jwksUri,
  requestOf,
  rsaKey,
  signText,
  tokenOf,
  verdictOf,
} from './identity-fixtures.ts';
import {
  boundCertificate,
  serialised,
  signedAnswerClaims,
  signedExamples,
  symmetric,
  thumbprints,
  tokenEndpointProof,
  unencoded,
  unsecured,
  type SignedExample,
} from './published-vectors.ts';

let provider: MessageProvider | undefined;
afterEach(() => {
  provider?.close();
  provider = undefined;
});

const everyAlgorithm: ReadonlySet<string> = new Set(jwtAlgorithms);

async function judge(token: string, { alg, jwk }: SignedExample): Promise<string> {
  const segments = splitToken(token, 16_384);
  if ('denial' in segments) return segments.denial.code;
  const set = await readKeySet(Buffer.from(JSON.stringify({ keys: [jwk] })), everyAlgorithm, 100);
  const verdict = await verifyWithKeys({ text: token, alg, kid: jwk['kid'] }, set);
  const byJose = await set.keys[0]?.forAlgorithm.get(alg)?.verify(token);
  expect('key' in verdict).toBe(byJose ?? false);
  return 'key' in verdict ? 'good' : verdict.denial.code;
}

describe('a signature that a specification publishes', () => {
  test.each(signedExamples.map((example) => ({ ...example, example })))(
    'of $name ($alg) is good, and bad over another payload, as another algorithm, or with another octet',
    async ({ example, token, payload, alg }) => {
      const [header = '', body = '', signature = ''] = token.split('.');
      expect(Buffer.from(body, 'base64url').toString()).toBe(payload);
      expect(await judge(token, example)).toBe('good');
      expect(await judge(`${header}.${encode(`${payload} `)}.${signature}`, example)).toBe('token_signature');
      expect(await judge(`${encode(`{"alg":"${alg}","x":1}`)}.${body}.${signature}`, example)).toBe('token_signature');
      for (const at of [0, 31, 63]) {
        const bytes = Buffer.from(signature, 'base64url');
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        expect(await judge(`${header}.${body}.${encode(bytes)}`, example)).toBe('token_signature');
      }
      const others = jwtAlgorithms.filter((other) => other !== alg);
      const verdicts = await Promise.all(others.map((other) => judge(token, { ...example, alg: other })));
      expect(verdicts.filter((verdict) => !['token_key', 'token_signature'].includes(verdict))).toEqual([]);
    },
  );

  test('of RFC 7520 4.4 (HS256) is good under its secret, and under no other', () => {
    const segments = splitToken(symmetric.token, 16_384);
    if ('denial' in segments) throw new Error(segments.denial.code);
    const { signingInput, signature } = segments.value;
    const key = createSecretKey(symmetric.secret, 'base64url');
    expect(isHmac('sha256', key, signingInput, signature)).toBe(true);
    expect(isHmac('sha256', createSecretKey(Buffer.from(symmetric.secret)), signingInput, signature)).toBe(false);
    expect(isHmac('sha256', key, `${signingInput}A`, signature)).toBe(false);
    expect(isHmac('sha256', key, signingInput, signature.subarray(1))).toBe(false);
  });

  test('is none in RFC 7515 A.5 and RFC 7797 4.2, and none that is taken in the JSON serialisations of A.6 and A.7', async () => {
    const [a2] = signedExamples;
    if (a2 === undefined) throw new Error('there are no examples');
    const verdicts = await Promise.all([unsecured, unencoded, ...serialised].map((text) => judge(text, a2)));
    expect(new Set(verdicts)).toEqual(new Set(['token_malformed']));
    expect(await judge(a2.token, a2)).toBe('good');
  });

  test('makes no identity where the token has no audience and is past its end: a good signature is not enough', async () => {
    const [a2] = signedExamples;
    const world = createWorld([]);
    world.http.answer(jwksUri, { keys: [a2?.jwk] });
    provider = world.provider({ issuer: 'joe' });
    await provider.firstLoad;
    const started = provider;
    const ask = async (): Promise<string> => verdictOf(await started.verify(credentialOf(a2?.token ?? '')));
    expect(await ask()).toBe('token_expired');
    world.time.setWall(1_300_819_000);
    expect(await ask()).toBe('token_audience');
  });
});

describe('DPoP proofs', () => {
  test.each(thumbprints)('the thumbprint of the key of %s', (_name, { alg = '', ...jwk }, thumbprint) => {
    const header = encode(JSON.stringify({ typ: 'dpop+jwt', alg, jwk: { ...jwk, x5c: ['AA'] } }));
    const claims = encode(JSON.stringify({ jti: 'a', htm: 'GET', htu: 'https://a.example/', iat: 1, ath: 'x' }));
    expect(parseProof(`${header}.${claims}.AAAA`)).toMatchObject({ proof: { jkt: thumbprint } });
  });

  test('that of RFC 9449 4.1 is for a token endpoint: without ath it proves nothing beside a token', () => {
    expect(parseProof(tokenEndpointProof)).toEqual({ why: 'lacks ath' });
    const [header = '', payload = '', signature = ''] = tokenEndpointProof.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const withHash = encode(JSON.stringify({ ...claims, ath: 'x' }));
    expect(parseProof(`${header}.${withHash}.${signature}`)).toMatchObject({
      proof: { htm: 'POST', htu: 'https://server.example.com/token', jti: '-BwC3ESc6acc2lTc', iat: 1_562_262_616 },
    });
  });
});

describe('RFC 8705 appendix A', () => {
  const key = rsaKey('k1');
  const bound = (thumbprint: string): string => tokenOf(key, { cnf: { 'x5t#S256': thumbprint } });

  test('a token with its thumbprint is taken with its certificate, and with no other', async () => {
    const started = createWorld([key]).provider();
    provider = started;
    await started.firstLoad;
    const ask = async (token: string, certificate: string): Promise<string> => {
      const request = requestOf({ certificate: encodeURIComponent(certificate) });
      return verdictOf(await started.verify(credentialOf(token, request)));
    };
    expect(await ask(bound(boundCertificate.thumbprint), boundCertificate.pem)).toBe('allow');
    expect(await ask(bound(boundCertificate.thumbprint.replace('A4', 'A5')), boundCertificate.pem)).toBe(
      'token_binding',
    );
    const other = boundCertificate.pem.replace('MIIBBjCBrAIBAj', 'MIIBBjCBrAIBAz');
    expect(await ask(bound(boundCertificate.thumbprint), other)).toBe('token_binding');
    expect(await ask(bound(boundCertificate.thumbprint), '')).toBe('token_binding');
  });
});

describe('RFC 9701 section 5', () => {
  const key = ecKey('wG6D');

  async function ask(claims: object, typ = 'token-introspection+jwt'): Promise<unknown> {
    const { iss, aud, iat } = signedAnswerClaims;
    const world = createWorld([key]);
    const origin = iss.replace(/\/$/, '');
    world.time.setWall(iat + 1);
    world.http.answer(`${origin}/.well-known/openid-configuration`, { issuer: iss, jwks_uri: jwksUri });
    const header = JSON.stringify({ typ, alg: 'ES256', kid: 'wG6D' });
    const answer = jsonResponse(signText(header, JSON.stringify(claims), key), {
      contentType: 'application/token-introspection+jwt',
    });
    world.http.answerSent(endpoint, () => answer);
    const spec = introspectionSpec({ issuer: iss, audiences: [aud], signedAnswers: true });
    provider = createIntrospectionProvider(spec, clientMaterial({ client_id: aud }), world.ports);
    return provider.verify(credentialOf('2YotnFZFEjr1zCsicMWpAA'));
  }

  test('its claims are an identity, in its type alone, for its audience alone', async () => {
    expect(await ask(signedAnswerClaims)).toMatchObject({
      identity: {
        subject: 'Z5O3upPC88QrAjx00dis',
        clientId: 'paiB2goo0a',
        issuer: 'https://as.example.com/',
        scopes: ['read', 'write', 'dolphin'],
        expiresAt: 1_514_797_942,
      },
    });
    const refused = { denial: { code: 'introspection_unavailable' } };
    expect(await ask(signedAnswerClaims, 'JWT')).toMatchObject(refused);
    expect(await ask({ ...signedAnswerClaims, aud: 'https://other.example' })).toMatchObject(refused);
    expect(await ask({ ...signedAnswerClaims, iat: signedAnswerClaims.iat - 3600 })).toMatchObject(refused);
  });
});

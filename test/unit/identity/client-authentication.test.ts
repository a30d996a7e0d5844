import { generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  createIntrospectionClient,
  type IntrospectionClient,
} from '../../../src/phases/identity/introspection/client-authentication.ts';
import type { IntrospectionProviderSpec } from '../../../src/policy/provider-spec.ts';
import { issuer, manualTime, startSeconds } from './identity-fixtures.ts';
import { clientMaterial, clientSecret, endpoint, introspectionSpec } from './introspection-fixtures.ts';

type Method = IntrospectionProviderSpec['clientAuthentication']['method'];
type Changes = Readonly<Record<string, string | undefined>>;

let ids = 0;
function client(
  method: Method,
  changes: Changes = {},
  spec: Partial<IntrospectionProviderSpec> = {},
): IntrospectionClient | string {
  const clientAuthentication = { ...introspectionSpec().clientAuthentication, method };
  const ports = { clock: manualTime().clock, random: { id: () => `id-${++ids}`, fraction: () => 0 } };
  return createIntrospectionClient(
    introspectionSpec({ clientAuthentication, ...spec }),
    clientMaterial(changes),
    ports,
  );
}

async function parametersOf(made: IntrospectionClient | string): Promise<Readonly<Record<string, string>>> {
  if (typeof made === 'string') throw new Error(made);
  return (await made.credentials()).parameters;
}

const pemOf = (type: 'pkcs8' | 'pkcs1', { privateKey }: { readonly privateKey: KeyObject }): string =>
  privateKey.export({ type, format: 'pem' }).toString();

test('Basic is of form-urlencoded halves, so that a colon in either is no border (RFC 6749 2.3.1)', async () => {
  const made = client('Basic', { client_id: 'a:b c', client_secret: clientSecret });
  if (typeof made === 'string') throw new Error(made);
  const { headers, parameters } = await made.credentials();
  expect(parameters).toEqual({});
  const text = Buffer.from(headers['authorization']?.replace('Basic ', '') ?? '', 'base64').toString();
  expect(text).toBe('a%3Ab+c:canary+secret%2B%2F%3A%25');
});

test('Post is in the body and nowhere else', async () => {
  const made = client('Post');
  if (typeof made === 'string') throw new Error(made);
  expect(await made.credentials()).toEqual({
    headers: {},
    parameters: { client_id: 'portcullis', client_secret: clientSecret },
  });
});

describe('PrivateKeyJWT (RFC 7523)', () => {
  test.each([
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['ES384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['ES512', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['EdDSA', generateKeyPairSync('ed25519')],
  ])('signs an assertion of a minute with %s', async (alg, pair) => {
    const made = client('PrivateKeyJWT', { private_key: pemOf('pkcs8', pair), key_id: 'k1\n' });
    const { client_assertion: assertion = '', ...rest } = await parametersOf(made);
    expect(rest).toEqual({
      client_id: 'portcullis',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    const [head = '', body = '', signature = ''] = assertion.split('.');
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
    expect(read(head)).toEqual({ alg, typ: 'JWT', kid: 'k1' });
    expect(read(body)).toEqual({
      iss: 'portcullis',
      sub: 'portcullis',
      aud: issuer,
      jti: `id-${ids}`,
      iat: startSeconds,
      exp: startSeconds + 60,
    });
    const hash = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`;
    const key = alg.startsWith('ES')
      ? { key: pair.publicKey, dsaEncoding: 'ieee-p1363' as const }
      : { key: pair.publicKey };
    expect(verify(hash, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  test('has another id each time, and no kid where the Secret has no key_id', async () => {
    const made = client('PrivateKeyJWT');
    const [first, second] = [await parametersOf(made), await parametersOf(made)];
    expect(first['client_assertion']).not.toBe(second['client_assertion']);
    const head = Buffer.from(first['client_assertion']?.split('.')[0] ?? '', 'base64url').toString();
    expect(JSON.parse(head)).toEqual({ alg: 'ES256', typ: 'JWT' });
  });

  test('is for the endpoint where the provider names no issuer', async () => {
    const { client_assertion: assertion = '' } = await parametersOf(client('PrivateKeyJWT', {}, { issuer: undefined }));
    expect(JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
      aud: endpoint,
    });
  });
});

describe('what cannot be used is named, without what it holds', () => {
  const secret = 'the Secret shop/introspection-client';
  test.each<[string, Method, Changes, string]>([
    ['no client_id', 'Basic', { client_id: undefined }, `${secret} or its key client_id is missing`],
    ['an empty client_id', 'Post', { client_id: '' }, `client_id of ${secret} is empty, too long`],
    ['no client_secret', 'Basic', { client_secret: undefined }, `${secret} has no key client_secret`],
    [
      'a secret with a line end',
      'Post',
      { client_secret: 'canary\n' },
      `client_secret of ${secret} is empty, too long`,
    ],
    ['a secret beyond ASCII', 'Basic', { client_secret: 'canäry' }, `client_secret of ${secret} is empty, too long`],
    ['no private_key', 'PrivateKeyJWT', { private_key: undefined }, `${secret} has no key private_key`],
    [
      'text',
      'PrivateKeyJWT',
      { private_key: 'canary' },
      `private_key of ${secret} is no PEM of an unencrypted PKCS#8 key`,
    ],
    [
      'half a key',
      'PrivateKeyJWT',
      { private_key: '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----' },
      `private_key of ${secret} is no PEM of a key that can be read`,
    ],
    [
      'a key in PKCS#1',
      'PrivateKeyJWT',
      { private_key: pemOf('pkcs1', generateKeyPairSync('rsa', { modulusLength: 2048 })) },
      `private_key of ${secret} is no PEM of an unencrypted PKCS#8 key`,
    ],
    [
      'a short RSA key',
      'PrivateKeyJWT',
      { private_key: pemOf('pkcs8', generateKeyPairSync('rsa', { modulusLength: 1024 })) },
      `private_key of ${secret} is an RSA key of less than 2048 bits`,
    ],
    [
      'a curve of nobody',
      'PrivateKeyJWT',
      { private_key: pemOf('pkcs8', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })) },
      `private_key of ${secret} is a key on a curve that no algorithm of JOSE uses`,
    ],
    [
      'a key that signs nothing',
      'PrivateKeyJWT',
      { private_key: pemOf('pkcs8', generateKeyPairSync('x25519')) },
      `private_key of ${secret} is neither an RSA, nor an EC, nor an Ed25519 key`,
    ],
  ])('%s with %s', (_title, method, changes, why) => {
    const made = client(method, changes);
    expect(made).toEqual(expect.stringContaining(why));
    expect(made).not.toContain('canary');
  });
});

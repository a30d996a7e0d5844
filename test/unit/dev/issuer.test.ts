import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exchange } from '../../../src/dev/http-exchange.ts';
import { startIssuer, type Issuer } from '../../../src/dev/issuer.ts';

let issuer: Issuer;
const get = async (path: string): Promise<{ readonly status: number; readonly body: string }> => {
  const port = Number(new URL(issuer.issuer).port);
  const { status, body } = await exchange(port, { method: 'GET', path, headers: {} });
  return { status, body };
};
const keySet = async (): Promise<JSONWebKeySet> => JSON.parse((await get('/demo/jwks')).body);
const verified = async (token: string) => {
  const options = { issuer: issuer.issuer, audience: 'orders', algorithms: ['RS256'] };
  return (await jwtVerify(token, createLocalJWKSet(await keySet()), options)).payload;
};

beforeEach(async () => {
  issuer = await startIssuer(0, 'orders');
});
afterEach(() => issuer.close());

describe('the demonstration’s issuer', () => {
  it('is found by both forms of discovery', async () => {
    const found = await get('/demo/.well-known/openid-configuration');
    expect(JSON.parse(found.body)).toMatchObject({ issuer: issuer.issuer, jwks_uri: `${issuer.issuer}/jwks` });
    expect(await get('/.well-known/oauth-authorization-server/demo')).toEqual(found);
    expect((await get('/elsewhere')).status).toBe(404);
  });

  it('signs tokens that its keys verify, an hour long where they say nothing else', async () => {
    const { iat = 0, exp = 0, ...claims } = await verified(await issuer.sign({ sub: 'alice', roles: ['clerk'] }));
    expect([exp - iat, claims]).toEqual([3600, { iss: issuer.issuer, aud: 'orders', sub: 'alice', roles: ['clerk'] }]);
  });

  it('gives a token to whoever asks, as whom they like', async () => {
    const { body } = await get('/demo/token?sub=carol&roles=admin,clerk');
    expect(await verified(body)).toMatchObject({ sub: 'carol', roles: ['admin', 'clerk'] });
  });

  it('never publishes a private key', async () => {
    const { keys } = await keySet();
    expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([['alg', 'e', 'kid', 'kty', 'n', 'use']]);
  });

  it('keeps the old key beside a new one, unless it is withdrawn', async () => {
    const old = await issuer.sign({ sub: 'alice' });
    await issuer.rotate();
    expect(await verified(old)).toMatchObject({ sub: 'alice' });
    await issuer.rotate({ withdrawOld: true });
    await expect(verified(old)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    expect(await verified(await issuer.sign({ sub: 'bob' }))).toMatchObject({ sub: 'bob' });
  });

  it('says that its port is taken', async () => {
    const port = Number(new URL(issuer.issuer).port);
    await expect(startIssuer(port, 'orders')).rejects.toMatchObject({
      code: 'port_in_use',
      message: `Port ${port} is in use.`,
    });
  });
});

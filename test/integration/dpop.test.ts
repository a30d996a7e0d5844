import { afterAll, beforeAll, expect, it } from 'vitest';
import { exchange } from '../../src/dev/http-exchange.ts';
import { outcomeOfAnswer } from '../../src/dev/outcome.ts';
import { documentsIn } from '../support/documents-in.ts';
import { createDpopClient, type DpopClient } from './support/dpop-client.ts';
import { rawHttp1 } from './support/raw-http1.ts';
import { rawHttp2 } from './support/raw-http2.ts';
import { startStand, type Stand } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const createClient = (): Promise<DpopClient> => createDpopClient('https://api.example.com/orders');
const documents = documentsIn('docs/dpop.md');

describeWithEnvoy('docs/dpop.md: DPoP through a real Envoy', (envoyBinary) => {
  let stand: Stand;
  let client: DpopClient;
  let token: string;

  beforeAll(async () => {
    stand = await startStand({
      envoyBinary,
      policies: (issuer) => documents.replace('https://login.example.com', issuer),
    });
    client = await createClient();
    token = await stand.issuer.sign({ sub: 'alice', cnf: { jkt: client.jkt } });
  });
  afterAll(() => stand.close());

  const ask = async (headers: Record<string, string>, method = 'GET', path = '/orders') => {
    const answer = await exchange(stand.port, { method, path, headers: { host: 'api.example.com', ...headers } });
    return { ...outcomeOfAnswer(answer.status, answer.body), headers: answer.headers };
  };
  const codeOf = async (proof: string | undefined, method?: string, path?: string): Promise<string | undefined> => {
    const dpop = proof === undefined ? {} : { dpop: proof };
    const outcome = await ask({ authorization: `DPoP ${token}`, ...dpop }, method, path);
    return outcome.decision === 'allow' ? 'allow' : outcome.code;
  };

  it('a good proof passes, and neither token nor proof reach the service', async () => {
    const outcome = await ask({ authorization: `DPoP ${token}`, dpop: await client.prove(token) });
    const upstream = outcome.decision === 'allow' ? outcome.upstream : new Map<string, string>();
    expect([upstream.get('x-user'), upstream.has('authorization'), upstream.has('dpop')]).toEqual([
      'alice',
      false,
      false,
    ]);
  });

  it('over HTTP/2 too', async () => {
    const answer = await rawHttp2(stand.port, [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':authority', 'api.example.com'],
      [':path', '/orders?page=2'],
      ['authorization', `dpop ${token}`],
      ['dpop', await client.prove(token, { htu: 'http://api.example.com/orders' })],
    ]);
    expect(answer).toMatchObject({ kind: 'answer', status: 200 });
  });

  it('what is not a proof of this request is denied, between two that are', async () => {
    const now = Math.floor(Date.now() / 1000);
    const other = await createClient();
    expect(await codeOf(await client.prove(token))).toBe('allow');
    expect({
      missing: await codeOf(undefined),
      method: await codeOf(await client.prove(token, { htm: 'POST' })),
      posted: await codeOf(await client.prove(token), 'POST'),
      uri: await codeOf(await client.prove(token, { htu: 'https://api.example.com/other' })),
      elsewhere: await codeOf(await client.prove(token), 'GET', '/orders/1'),
      old: await codeOf(await client.prove(token, { iat: now - 310 })),
      ahead: await codeOf(await client.prove(token, { iat: now + 70 })),
      ath: await codeOf(await client.prove(`${token}x`)),
      key: await codeOf(await other.prove(token)),
    }).toEqual({
      missing: 'dpop_proof',
      method: 'dpop_proof',
      posted: 'dpop_proof',
      uri: 'dpop_proof',
      elsewhere: 'dpop_proof',
      old: 'dpop_proof',
      ahead: 'dpop_proof',
      ath: 'dpop_proof',
      key: 'token_binding',
    });
    expect(await codeOf(await client.prove(token))).toBe('allow');
  });

  it('a proof is used once, also of many requests together', async () => {
    const proof = await client.prove(token);
    const codes = await Promise.all(Array.from({ length: 8 }, () => codeOf(proof)));
    expect([
      codes.filter((code) => code === 'allow').length,
      codes.filter((code) => code === 'dpop_replayed').length,
    ]).toEqual([1, 7]);
  });

  it('two proofs are denied in one field and in two', async () => {
    const [one, two] = [await client.prove(token), await client.prove(token)];
    expect(await codeOf(`${one},${two}`)).toBe('dpop_proof');
    const lines = [`authorization: DPoP ${token}`, `dpop: ${one}`, `dpop: ${two}`];
    const answer = await rawHttp1(stand.port, ['GET /orders HTTP/1.1', 'host: api.example.com', ...lines]);
    expect(outcomeOfAnswer(answer.status, answer.body)).toMatchObject({ code: 'dpop_proof' });
  });

  it('as Bearer the token is denied, with and without a proof; one that is not bound is denied with DPoP', async () => {
    const bearer = { authorization: `Bearer ${token}` };
    expect(await ask(bearer)).toMatchObject({ status: 401, code: 'token_binding' });
    expect(await ask({ ...bearer, dpop: await client.prove(token) })).toMatchObject({ code: 'token_binding' });
    const plain = await stand.issuer.sign({ sub: 'alice' });
    const dpop = await client.prove(plain);
    expect(await ask({ authorization: `DPoP ${plain}`, dpop })).toMatchObject({ code: 'token_binding' });
  });

  it('a denied client is told the scheme, the algorithms and where the metadata are, and finds them there', async () => {
    const missing = await ask({});
    const challenge = String(missing.headers['www-authenticate']);
    expect(challenge).toMatch(/^DPoP realm="api.example.com", algs="[^"]*ES256[^"]*", resource_metadata="[^"]+"$/);
    const url = new URL(/resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? '');
    const answer = await exchange(stand.port, { method: 'GET', path: url.pathname, headers: { host: url.host } });
    expect([answer.status, answer.headers['content-type'], answer.headers['access-control-allow-origin']]).toEqual([
      200,
      'application/json',
      '*',
    ]);
    expect(JSON.parse(answer.body)).toMatchObject({
      resource: 'https://api.example.com',
      authorization_servers: [stand.issuer.issuer],
      dpop_bound_access_tokens_required: true,
    });
    const head = await exchange(stand.port, { method: 'HEAD', path: url.pathname, headers: { host: url.host } });
    expect([head.status, head.body]).toEqual([200, '']);
    const other = await exchange(stand.port, { method: 'GET', path: `${url.pathname}/`, headers: { host: url.host } });
    expect(other.status).toBe(403);
  });
});

describeWithEnvoy('docs/dpop.md: nonces through a real Envoy', (envoyBinary) => {
  let stand: Stand;
  beforeAll(async () => {
    const required = documents.replace('{dpop: Required}', '{dpop: Required, dpopNonce: Required}');
    stand = await startStand({
      envoyBinary,
      policies: (issuer) => required.replace('https://login.example.com', issuer),
    });
  });
  afterAll(() => stand.close());

  it('a proof without one is answered with one, with which the next passes', async () => {
    const client = await createClient();
    const token = await stand.issuer.sign({ sub: 'alice', cnf: { jkt: client.jkt } });
    const ask = async (changes: object) => {
      const dpop = await client.prove(token, changes);
      const headers = { host: 'api.example.com', authorization: `DPoP ${token}`, dpop };
      return exchange(stand.port, { method: 'GET', path: '/orders', headers });
    };
    const first = await ask({});
    const nonce = String(first.headers['dpop-nonce']);
    expect([first.status, String(first.headers['www-authenticate'])]).toEqual([
      401,
      expect.stringContaining('error="use_dpop_nonce"'),
    ]);
    expect((await ask({ nonce })).status).toBe(200);
    expect((await ask({ nonce: `${nonce}x` })).status).toBe(401);
  });
});

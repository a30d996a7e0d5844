import type { RequestListener } from 'node:http';
import { Agent } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { HttpClient } from '../../../src/core/ports.ts';
import { createIntrospectionProvider } from '../../../src/phases/identity/introspection/introspection-provider.ts';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import { createJwtProvider } from '../../../src/phases/identity/jwt/jwt-provider.ts';
import { createServiceAccountProvider } from '../../../src/phases/identity/service-account/service-account-provider.ts';
import { createApiClient } from '../../../src/kubernetes/api-client.ts';
import { createReviews, type RunningReviews } from '../../../src/kubernetes/reviews.ts';
import { createHttpClient } from '../../../src/runtime/http-client.ts';
import { systemTimers } from '../../../src/runtime/system-ports.ts';
import { eventually } from '../../support/eventually.ts';
import { caep } from '../../support/event-transmitter.ts';
import { faults, startFaultyServer, type FaultyServer } from '../../support/faulty-server.ts';
import {
  bearer,
  createWorld,
  credentialOf,
  ecKey,
  encode,
  jwtSpec,
  settle,
  signText,
  startSeconds,
  tokenOf,
  verdictOf,
  type Claims,
  type TestKey,
  type World,
} from './identity-fixtures.ts';
import {
  clientId,
  clientMaterial,
  endpoint,
  goodAnswer,
  introspectionSpec,
  jsonResponse,
} from './introspection-fixtures.ts';

/** How long one exchange may take here; whatever waits longer would show. */
const timeoutMs = 250;
const key = ecKey('k1');
const other = ecKey('k2');

const open: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function serve(good: RequestListener): Promise<FaultyServer> {
  const server = await startFaultyServer(good);
  open.push(() => server.close());
  return server;
}

const http: HttpClient = createHttpClient({
  allowPrivateAddresses: true,
  allowedAddresses: [],
  userAgent: 'portcullis/test',
  timers: systemTimers,
});

/** Keys come over HTTP; what is sent is answered by the world's own. */
function worldOf(fetchTimeoutMs = timeoutMs): World {
  const world = createWorld([], { fetchTimeoutMs });
  const mixed: HttpClient = {
    get: (url, limits) => http.get(url, limits),
    send: (url, request, limits) => world.http.send(url, request, limits),
  };
  Object.assign(world.ports, { http: mixed });
  return world;
}

function closing<T extends { close(): void }>(one: T): T {
  open.push(() => one.close());
  return one;
}

const metadataPath = '/.well-known/openid-configuration';

/** An issuer: its metadata, and a key set whose type is not that of JSON, as some send it. */
function issuerOf(keys: () => readonly TestKey[]): RequestListener {
  return (request, response) => {
    const { url = '', headers } = request;
    const isKeys = url.startsWith('/keys');
    const issuer = `http://${headers.host ?? ''}`;
    response.writeHead(isKeys || url === metadataPath ? 200 : 404, { 'content-type': 'text/plain' });
    response.end(
      JSON.stringify(isKeys ? { keys: keys().map(({ jwk }) => jwk) } : { issuer, jwks_uri: `${issuer}/keys` }),
    );
  };
}

/** Somebody whose keys are asked for. */
interface KeyParty {
  readonly name: string;
  /** What of it meets the fault. */
  readonly path: string;
  /** What is said while there are no keys, what for a good message, and for one of a key that is not there. */
  readonly says: { readonly unavailable: string; readonly good: string; readonly unknown: string };
  start(
    server: FaultyServer,
    world: World,
  ): { readonly ask: (by: TestKey) => Promise<string>; readonly provider: MessageProvider };
}

const said = { unavailable: 'keys_unavailable', good: 'allow', unknown: 'token_key' };
let serial = 0;

function startJwt(world: World, issuer: string, uri: string | undefined): ReturnType<KeyParty['start']> {
  const keys = uri === undefined ? ({ type: 'Discovery' } as const) : ({ type: 'URI', uri } as const);
  const provider = closing(world.provider({ issuer, keys }));
  const claims = (): Claims => ({ iss: issuer, jti: String(serial++), exp: startSeconds + 1e6 });
  return { provider, ask: async (by) => verdictOf(await provider.verify(credentialOf(tokenOf(by, claims())))) };
}

const keyParties: readonly KeyParty[] = [
  {
    name: 'the key set',
    path: '/keys',
    says: said,
    start: ({ url }, world) => startJwt(world, 'https://idp.example', `${url}/keys`),
  },
  { name: 'discovery', path: '/.well-known', says: said, start: ({ url }, world) => startJwt(world, url, undefined) },
  {
    name: 'the key set that discovery names',
    path: '/keys',
    says: said,
    start: ({ url }, world) => startJwt(world, url, undefined),
  },
  {
    name: 'the key set of a transmitter of events',
    path: '/keys',
    says: { unavailable: 'refused unavailable', good: 'understood', unknown: 'refused invalid_key' },
    start: ({ url }, world) => {
      const issuer = 'https://signals.example';
      const events = {
        issuer,
        audiences: ['us'],
        keys: { type: 'URI', uri: `${url}/keys` },
        ca: undefined,
        authorization: undefined,
      } as const;
      const spec = jwtSpec({ keys: { type: 'Inline', json: JSON.stringify({ keys: [key.jwk] }) }, events });
      const material = { keysText: undefined, ca: undefined };
      const provider = closing(
        createJwtProvider(spec, material, world.ports, { ...material, authorization: undefined }),
      );
      const ask = async (by: TestKey): Promise<string> => {
        const claims = {
          iss: issuer,
          aud: 'us',
          iat: startSeconds,
          jti: `set-${serial++}`,
          sub_id: { format: 'opaque', id: 'alice' },
          events: { [caep('session-revoked')]: {} },
        };
        const head = { alg: by.alg, kid: by.jwk['kid'], typ: 'secevent+jwt' };
        const token = signText(JSON.stringify(head), JSON.stringify(claims), by);
        const receipt = await provider.receive?.({ kind: 'events', token, authorization: undefined });
        return receipt?.kind === 'refused' ? `refused ${receipt.error}` : 'understood';
      };
      return { provider, ask };
    },
  },
  {
    name: 'the keys of signed answers of introspection',
    path: '/.well-known',
    says: { unavailable: 'introspection_unavailable', good: 'allow', unknown: 'introspection_unavailable' },
    start: ({ url }, world) => {
      const spec = introspectionSpec({ issuer: url, signedAnswers: true, cacheTtl: 0 });
      const provider = closing(createIntrospectionProvider(spec, clientMaterial(), world.ports));
      const ask = async (by: TestKey): Promise<string> => {
        const now = Math.floor(world.ports.clock.now() / 1000);
        const claims = {
          iss: url,
          aud: clientId,
          iat: now,
          token_introspection: goodAnswer({ iss: url, exp: now + 60 }),
        };
        const head = JSON.stringify({ alg: by.alg, kid: by.jwk['kid'], typ: 'token-introspection+jwt' });
        const answer = jsonResponse(signText(head, JSON.stringify(claims), by), {
          contentType: 'application/token-introspection+jwt',
        });
        world.http.answerSent(endpoint, () => answer);
        // Not so often that the circuit opens.
        await world.time.advance(40_000);
        return verdictOf(await provider.verify(credentialOf(`opaque-${serial++}`)));
      };
      return { provider, ask };
    },
  },
];

function fetchesOf({ events }: World): readonly string[] {
  return events.filter((event) => event === 'ok' || event === 'failed');
}

/** Lets the time pass until a fetch began in the background and ended. */
async function untilFetched(world: World, milliseconds: number): Promise<void> {
  const before = fetchesOf(world).length;
  await world.time.advance(milliseconds);
  await eventually(() => expect(fetchesOf(world).length).toBeGreaterThan(before));
  await settle();
}

/** Until one ended well: on a busy machine the first may take too long. */
async function untilWell(world: World, milliseconds: number): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    await untilFetched(world, milliseconds);
    if (fetchesOf(world).at(-1) === 'ok') return;
  }
}

async function untilLoaded(world: World): Promise<void> {
  await eventually(() => expect(fetchesOf(world)).not.toEqual([]));
  if (fetchesOf(world).at(-1) !== 'ok') await untilWell(world, 6_000);
}

const keyRows = keyParties.flatMap((party) => faults.map((fault) => ({ party, fault, name: party.name })));

describe('keys that are asked for', () => {
  test.each(keyRows)(
    '$name, $fault from the start: denied as ours, and good by itself when it is well',
    async ({ party, fault }) => {
      const server = await serve(issuerOf(() => [key]));
      await server.fail(fault, party.path);
      const world = worldOf();
      const { ask, provider } = party.start(server, world);
      await eventually(() => expect(world.events).toContain('failed'));
      expect(await ask(key)).toBe(party.says.unavailable);
      expect(provider.status().lastError).toMatch(/./);
      expect(server.asked.filter((path) => path.includes('again'))).toEqual([]);
      await server.mend();
      await untilWell(world, 6_000);
      expect(await ask(key)).toBe(party.says.good);
      expect(provider.status().lastError).toBeUndefined();
    },
  );

  test.each(keyRows)(
    '$name, $fault after it was well: known keys go on, and new ones come when it is well',
    async ({ party, fault }) => {
      let keys = [key];
      const server = await serve(issuerOf(() => keys));
      const world = worldOf();
      const { ask, provider } = party.start(server, world);
      await untilLoaded(world);
      expect(await ask(key)).toBe(party.says.good);
      await server.fail(fault, party.path);
      keys = [key, other];
      await untilFetched(world, 600_000);
      expect(provider.status().lastError).toMatch(/./);
      expect(await ask(key)).toBe(party.says.good);
      await server.mend();
      await untilWell(world, 600_000);
      expect([await ask(key), await ask(other)]).toEqual([party.says.good, party.says.good]);
      expect(provider.status().lastError).toBeUndefined();
      expect(await ask(ecKey('k3'))).toBe(party.says.unknown);
    },
  );
});

describe('keys that change', () => {
  test.each(keyParties)('of $name: with overlap, without, and withdrawn', async (party) => {
    let keys = [key];
    const server = await serve(issuerOf(() => keys));
    const world = worldOf();
    const { ask } = party.start(server, world);
    await untilLoaded(world);
    const verdicts = async (): Promise<readonly string[]> => [await ask(key), await ask(other)];
    expect(await ask(key)).toBe(party.says.good);
    keys = [key, other];
    expect(await verdicts()).toEqual([party.says.good, party.says.good]);
    const third = ecKey('k3');
    keys = [third];
    await world.time.advance(40_000);
    expect(await ask(third)).toBe(party.says.good);
    expect(await verdicts()).toEqual([party.says.unknown, party.says.unknown]);
    keys = [key];
    await untilWell(world, 600_000);
    expect([await ask(third), await ask(key)]).toEqual([party.says.unknown, party.says.good]);
  });
});

const subject = 'system:serviceaccount:shop:web';
const accountToken = (jti: number): string =>
  `${encode('{"alg":"RS256"}')}.${encode(JSON.stringify({ sub: subject, aud: ['orders'], exp: startSeconds + 600, jti }))}.AAAA`;
const user = { username: subject, uid: 'u1', groups: ['g'], extra: new Map<string, readonly string[]>() };

const apiServer: RequestListener = (request, response) => {
  const isToken = (request.url ?? '').endsWith('tokenreviews');
  const status = isToken
    ? { authenticated: true, user: { username: subject }, audiences: ['orders'] }
    : { allowed: true };
  response.writeHead(201, { 'content-type': 'text/plain' }).end(JSON.stringify({ status }));
};

function reviewsOf({ url }: FaultyServer, world: World, apiTimeoutMs = 2 * timeoutMs): RunningReviews {
  const dispatcher = new Agent();
  const connection = {
    server: url,
    namespace: undefined,
    prepare: async () => ({ headers: { authorization: 'Bearer canary' }, dispatcher }),
    renew: () => undefined,
    close: () => dispatcher.destroy(),
  };
  const api = createApiClient({
    connection,
    timers: systemTimers,
    userAgent: 'x',
    timeoutMs: apiTimeoutMs,
    maxBytes: 1_000_000,
  });
  const reviews = createReviews({
    ...world.ports,
    open: () => Promise.resolve(api),
    events: { reviewed: () => undefined },
  });
  open.push(() => reviews.close());
  return reviews;
}

function startAccounts(reviews: RunningReviews, world: World): () => Promise<string> {
  const spec = {
    kind: 'IdentityProvider',
    type: 'ServiceAccount',
    namespace: 'shop',
    name: 'w',
    audiences: ['orders'],
    from: [bearer],
  } as const;
  const provider = closing(createServiceAccountProvider(spec, { ...world.ports, reviews }));
  return async () => verdictOf(await provider.verify(credentialOf(accountToken(serial++))));
}

function askAccess(reviews: RunningReviews): Promise<string> {
  const fields = { group: '', resource: 'pods', subresource: '', verb: 'get', namespace: 'shop', name: '' };
  return reviews.reviewAccess({ user, attributes: { kind: 'resource', fields } }).then(
    ({ allowed }) => (allowed ? 'allow' : 'no'),
    (thrown: unknown) => (thrown instanceof Failure ? thrown.code : 'thrown'),
  );
}

describe('the API server', () => {
  test.each(faults)('%s: no review is believed, and the next one is when it is well', async (fault) => {
    const server = await serve(apiServer);
    const world = createWorld([]);
    const reviews = reviewsOf(server, world);
    const askToken = startAccounts(reviews, world);
    expect([await askToken(), await askAccess(reviews)]).toEqual(['allow', 'allow']);
    await server.fail(fault);
    const started = performance.now();
    expect(await Promise.all([askToken(), askAccess(reviews)])).toEqual(['review_unavailable', 'review_unavailable']);
    expect(performance.now() - started).toBeLessThan(2_000);
    expect([reviews.failure('token'), reviews.failure('access')]).toEqual([expect.any(String), expect.any(String)]);
    expect(`${reviews.failure('token')} ${reviews.failure('access')}`).not.toContain('canary');
    await server.mend();
    expect([await askToken(), await askAccess(reviews)]).toEqual(['allow', 'allow']);
    expect([reviews.failure('token'), reviews.failure('access')]).toEqual([undefined, undefined]);
  });
});

describe('the endpoint of introspection', () => {
  test.each(faults)('%s: nobody is let in by it, and the next answer counts when it is well', async (fault) => {
    const server = await serve((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(goodAnswer())),
    );
    const world = createWorld([]);
    const spec = introspectionSpec({ endpoint: `${server.url}/introspect`, timeout: (2 * timeoutMs) / 1000 });
    const provider = closing(createIntrospectionProvider(spec, clientMaterial(), { ...world.ports, http }));
    const ask = async (token: string): Promise<string> => verdictOf(await provider.verify(credentialOf(token)));
    expect(await ask('known')).toBe('allow');
    await server.fail(fault);
    expect([await ask('known'), await ask('new')]).toEqual(['allow', 'introspection_unavailable']);
    expect(provider.status()).toMatchObject({ isAnswering: false, lastError: expect.stringContaining(server.url) });
    expect(server.asked.filter((path) => path.includes('again'))).toEqual([]);
    await server.mend();
    expect(await ask('new')).toBe('allow');
    expect(provider.status()).toMatchObject({ isAnswering: true, lastError: undefined });
  });
});

test('whoever waits for one that hangs holds up nobody who asks another', async () => {
  const long = 3_000;
  const [hanging, well] = [await serve(issuerOf(() => [key])), await serve(issuerOf(() => [key]))];
  const api = await serve(apiServer);
  await hanging.fail('slow');
  await api.fail('slow', '/apis/authentication.k8s.io');
  const world = worldOf(long);
  const reviews = reviewsOf(api, world, long);
  const introspection = (url: string): MessageProvider => {
    const ports = { ...world.ports, http };
    return closing(
      createIntrospectionProvider(introspectionSpec({ endpoint: url, timeout: 3 }), clientMaterial(), ports),
    );
  };
  const answering = await serve(
    (_request, response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(goodAnswer())),
  );
  const slow = [
    ...keyParties.slice(0, 4).map((party) => () => party.start(hanging, world).ask(key)),
    async () => verdictOf(await introspection(`${hanging.url}/introspect`).verify(credentialOf('opaque'))),
    startAccounts(reviews, world),
  ];
  let ended = 0;
  const waiting = slow.flatMap((ask) => Array.from({ length: 20 }, async () => ask().then(() => ended++)));
  const opaque = introspection(`${answering.url}/introspect`);
  const verdicts = await Promise.all([
    ...keyParties.slice(0, 4).map((party) => party.start(well, world).ask(key)),
    Promise.resolve(opaque.verify(credentialOf('opaque'))).then(verdictOf),
    askAccess(reviews),
  ]);
  expect(verdicts).toEqual(['allow', 'allow', 'allow', 'understood', 'allow', 'allow']);
  expect(ended).toBe(0);
  for (const close of open.splice(0).toReversed()) await close();
  await Promise.allSettled(waiting);
});

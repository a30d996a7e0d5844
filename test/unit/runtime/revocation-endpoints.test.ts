import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { IssuerMessage, Receipt } from '../../../src/core/issuer-message.ts';
import type { Revocation, RevocationControl, RevocationOutcome } from '../../../src/core/revocation.ts';
import { createHttpEndpoints, type HttpEndpoints } from '../../../src/runtime/http-endpoints.ts';
import { createIssuerEndpoints } from '../../../src/runtime/issuer-endpoints.ts';
import { createRevocationJudge } from '../../../src/runtime/judge-revocations.ts';
import { createRevocationEndpoint, warnOfAdminToken } from '../../../src/runtime/revocation-endpoint.ts';
import { systemTimers } from '../../../src/runtime/system-ports.ts';
import { postText } from '../../support/event-transmitter.ts';
import { eventually } from '../../support/eventually.ts';
import { createKeptLog, emptyStatus, send } from './runtime-fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-admin-'));
const token = 'admin-token-0123456789';
const providers = [
  { name: 'shop/okta', namespace: 'shop', issuer: 'https://idp.example' },
  { name: 'shop/keys', namespace: 'shop', issuer: undefined },
  { name: 'corp', namespace: '', issuer: undefined },
];
const tokenFile = join(folder, 'admin.token');
writeFileSync(tokenFile, `${token}\n`);

const understood: Receipt = {
  kind: 'understood',
  events: ['session-revoked'],
  revocations: [],
  signals: [],
  state: undefined,
  onlyOnce: undefined,
};

interface Stand {
  readonly endpoints: HttpEndpoints;
  readonly log: ReturnType<typeof createKeptLog>;
  readonly messages: (IssuerMessage & { readonly provider: string })[];
  readonly counted: string[];
  readonly added: Revocation[];
  outcome: RevocationOutcome;
  receipt: Receipt;
  /** Every judgement waits for it. */
  judging: Promise<undefined> | undefined;
  notReady: string | undefined;
}

const open: HttpEndpoints[] = [];
afterEach(async () => {
  for (const endpoints of open.splice(0)) await endpoints.close();
});

async function start(file: string | null = tokenFile): Promise<Stand> {
  const log = createKeptLog();
  const address = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  let monotonic = 0;
  const clock = { now: () => 1_000_000, monotonic: () => (monotonic += 1) };
  const messages: Stand['messages'] = [];
  const counted: string[] = [];
  const added: Revocation[] = [];
  const revocations: RevocationControl = {
    add: async (_source, entries) => {
      added.push(...entries);
      return stand.outcome;
    },
    whenTaken: () => Promise.resolve(),
    openList: () => {
      throw new Error('nobody keeps a list');
    },
    status: () => ({
      sources: [{ source: 'admin', entries: added.length, failure: undefined, problem: undefined }],
      signals: 0,
      widened: 0,
    }),
  };
  const judge = createRevocationJudge({ providers: () => providers, clock, retentionMs: 48 * 3_600_000 });
  const endpoints = await createHttpEndpoints({
    httpAddress: address,
    adminAddress: address,
    notReady: () => stand.notReady,
    metrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
    status: () => emptyStatus,
    answerIssuer: createIssuerEndpoints({
      notReady: () => stand.notReady,
      receive: async ({ namespace, name }, message) => {
        messages.push({ ...message, provider: `${namespace}/${name}` });
        await stand.judging;
        return stand.receipt;
      },
      count: (event, result) => void counted.push(`${event} ${result}`),
      clock,
      timers: systemTimers,
      logger: log,
    }),
    answerRevocations: createRevocationEndpoint({
      tokenFile: file ?? undefined,
      revocations,
      judge,
      clock,
      logger: log,
    }),
    version: '1.2.3',
    clock,
    timers: systemTimers,
    logger: log,
  });
  open.push(endpoints);
  const stand: Stand = {
    endpoints,
    log,
    messages,
    counted,
    added,
    outcome: { kind: 'kept', isShared: false, isWidened: false },
    receipt: understood,
    judging: undefined,
    notReady: undefined,
  };
  return stand;
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const secevent = { 'content-type': 'application/secevent+jwt' };
const deliver = (stand: Stand, path: string, headers: Readonly<Record<string, string>>, body: string) =>
  postText(`http://${stand.endpoints.httpAddress}${path}`, headers, body);

describe('deliveries of issuers on the open address', () => {
  test('a logout token is taken with 200, and not to be cached', async () => {
    const stand = await start();
    const answer = await deliver(stand, '/backchannel-logout/shop/okta', form, 'logout_token=a.b.c');
    expect([answer.status, answer.body, answer.headers['cache-control']]).toEqual([200, '', 'no-store']);
    expect(stand.messages).toEqual([
      { kind: 'logout', token: 'a.b.c', authorization: undefined, provider: 'shop/okta' },
    ]);
    expect(stand.counted).toEqual(['session-revoked taken']);
  });

  test('an event is taken with 202, for a cluster provider too', async () => {
    const stand = await start();
    const answer = await deliver(stand, '/events/keycloak', { ...secevent, authorization: 'Bearer s' }, 'a.b.c');
    expect([answer.status, answer.body]).toEqual([202, '']);
    expect(stand.messages).toEqual([
      { kind: 'events', token: 'a.b.c', authorization: 'Bearer s', provider: '/keycloak' },
    ]);
  });

  test('a refusal is told in the words of each specification', async () => {
    const stand = await start();
    stand.receipt = { kind: 'refused', error: 'invalid_audience', description: 'For somebody else.' };
    const event = await deliver(stand, '/events/shop/okta', secevent, 'a.b.c');
    const logout = await deliver(stand, '/backchannel-logout/shop/okta', form, 'logout_token=a.b.c');
    expect([event.status, JSON.parse(event.body)]).toEqual([
      400,
      { err: 'invalid_audience', description: 'For somebody else.' },
    ]);
    expect([logout.status, JSON.parse(logout.body)]).toEqual([
      400,
      { error: 'invalid_audience', error_description: 'For somebody else.' },
    ]);
    expect(stand.counted).toEqual(['events refused', 'logout refused']);
  });

  test('what cannot be kept now is 503, so that it comes again; so is everything before the providers are loaded', async () => {
    const stand = await start();
    stand.receipt = { kind: 'refused', error: 'unavailable', description: 'The list of revocations is full.' };
    const full = await deliver(stand, '/events/shop/okta', secevent, 'a.b.c');
    stand.notReady = 'the policies are not loaded yet';
    const early = await deliver(stand, '/events/shop/okta', secevent, 'a.b.c');
    expect([full.status, full.headers['retry-after'], early.status]).toEqual([503, '5', 503]);
    expect(stand.messages).toHaveLength(1);
  });

  test.each([
    ['the wrong content type', '/events/shop/okta', form, 'a.b.c', 400],
    ['no content type', '/events/shop/okta', {}, 'a.b.c', 400],
    ['JSON', '/backchannel-logout/shop/okta', { 'content-type': 'application/json' }, '{}', 400],
    ['no token', '/backchannel-logout/shop/okta', form, 'token=a', 400],
    ['two tokens', '/backchannel-logout/shop/okta', form, 'logout_token=a&logout_token=b', 400],
    ['too long a body', '/events/shop/okta', secevent, 'x'.repeat(65_537), 400],
    ['a path that is none', '/events/', secevent, 'a.b.c', 404],
    ['a path too deep', '/events/a/b/c', secevent, 'a.b.c', 404],
    ['a name that is none', '/events/shop/..%2Fokta', secevent, 'a.b.c', 404],
  ])('%s is not taken', async (_name, path, headers, body, status) => {
    const stand = await start();
    // A path that is none of ours is answered as every other: nothing but GET and HEAD where it exists.
    expect((await deliver(stand, path, headers, body)).status).toBe(status);
    expect(stand.messages).toEqual([]);
  });

  test('a body without a length is bounded too', async () => {
    const stand = await start();
    const chunked = { ...secevent, 'transfer-encoding': 'chunked' };
    const answer = await deliver(stand, '/events/shop/okta', chunked, 'x'.repeat(200_000)).catch(() => undefined);
    expect([answer?.status ?? 400, stand.messages]).toEqual([400, []]);
  });

  test('GET is no way to deliver', async () => {
    const { endpoints } = await start();
    expect(await send(endpoints.httpAddress, '/events/shop/okta')).toMatchObject({ status: 405 });
  });

  test('nobody is held up for what others behind the same address have failed in, and these do not fill the log', async () => {
    const stand = await start();
    stand.receipt = { kind: 'refused', error: 'invalid_key', description: 'No.' };
    for (let i = 0; i < 70; i++) await deliver(stand, '/events/shop/okta', secevent, 'a.b.c');
    stand.receipt = { kind: 'refused', error: 'not_found', description: 'No such receiver.' };
    for (let i = 0; i < 70; i++) await deliver(stand, `/events/no/such-${i}`, secevent, 'a.b.c');
    for (let i = 0; i < 5; i++) await deliver(stand, `/events/never/judged-${i}`, form, 'a.b.c');
    stand.receipt = understood;
    expect(await deliver(stand, '/backchannel-logout/shop/okta', form, 'logout_token=a.b.c')).toMatchObject({
      status: 200,
    });
    expect(stand.counted).toHaveLength(146);
    const said = stand.log.lines.filter(({ message }) => message === 'a message of an issuer was not taken');
    expect(said.map(({ provider }) => String(provider).split('/')[0])).toEqual([
      ...Array.from({ length: 60 }, () => 'shop'),
      ...Array.from({ length: 60 }, () => 'no'),
    ]);
  });

  test('so many are judged at once, and one that comes then waits and is taken', async () => {
    const stand = await start();
    const { promise: judged, resolve: judge } = Promise.withResolvers<undefined>();
    stand.judging = judged;
    const deliveries = Array.from({ length: 40 }, () => deliver(stand, '/events/shop/okta', secevent, 'a.b.c'));
    await eventually(() => expect(stand.messages).toHaveLength(32), 2000);
    judge(undefined);
    expect((await Promise.all(deliveries)).map(({ status }) => status)).toEqual(Array.from({ length: 40 }, () => 202));
    expect(stand.messages).toHaveLength(40);
  });
});

const entry = { issuer: 'https://idp.example', sub: 'alice' };
const admin = (stand: Stand, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  postText(
    `http://${stand.endpoints.adminAddress ?? ''}/revocations`,
    { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    typeof body === 'string' ? body : JSON.stringify(body),
  );

describe('the admin call', () => {
  test('revokes, and says that it is for this process alone', async () => {
    const stand = await start();
    const answer = await admin(stand, { revocations: [entry] });
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([200, { revoked: 1, scope: 'local' }]);
    expect(stand.added).toMatchObject([{ target: 'sub', value: 'alice' }]);
    stand.outcome = { kind: 'kept', isShared: true, isWidened: false };
    expect(JSON.parse((await admin(stand, { revocations: [entry] })).body)).toMatchObject({ scope: 'shared' });
  });

  test('who revokes by issuer is told that some credentials have none', async () => {
    const stand = await start();
    const noteOf = async (one: object): Promise<unknown> =>
      JSON.parse((await admin(stand, { revocations: [one] })).body).note;
    expect(await noteOf(entry)).toMatch(/SharedSecretJWT.*by provider$/);
    expect(await noteOf({ provider: 'shop/keys', sub: 'alice' })).not.toMatch(/issuer/);
  });

  test('repeats until when, which is the retention where nothing else is said', async () => {
    const stand = await start();
    const ending = { ...entry, expiresAt: '2026-12-01T00:00:00Z' };
    expect(JSON.parse((await admin(stand, { revocations: [entry, ending] })).body)).toMatchObject({
      until: ['1970-01-03T00:16:40.000Z', '2026-12-01T00:00:00.000Z'],
      warnings: [],
    });
  });

  test.each([
    [{ issuer: 'https://idp.example/', sub: 'a' }, 'no provider of the service names this issuer'],
    [{ ...entry, namespace: 'web' }, 'no provider of this namespace names this issuer'],
  ])('takes %j, and warns that it may not mean what was meant', async (doubtful, why) => {
    const stand = await start();
    const { revoked, warnings } = JSON.parse((await admin(stand, { revocations: [entry, doubtful] })).body);
    expect([revoked, warnings]).toEqual([2, [expect.stringContaining(`revocations[1]: ${why}`)]]);
  });

  test.each([
    [{ provider: 'shop/gone', sub: 'a' }, 'the service has no IdentityProvider of that namespace and name'],
    [{ provider: 'keys', client: 'a' }, 'of an IdentityProvider write the namespace too: shop/keys'],
    [{ provider: 'gone', sub: 'a' }, 'the service has no ClusterIdentityProvider of that name'],
    [{ ...entry, expiresAt: '1970-01-01T00:16:40Z' }, 'expiresAt is in the past'],
  ])('refuses %j, of which nothing could come, with all that is beside it', async (idle, why) => {
    const stand = await start();
    const answer = await admin(stand, { revocations: [entry, idle] });
    expect([answer.status, answer.body, stand.added]).toEqual([400, expect.stringContaining(why), []]);
    for (const provider of ['shop/keys', 'corp'])
      expect((await admin(stand, { revocations: [{ provider, sub: 'a' }] })).status).toBe(200);
  });

  test.each([
    ['a file that is not there', 'gone', ['warn', 'warn']],
    ['a short token', 'short', ['warn']],
    ['a token', undefined, []],
  ])('of %s is told at the start', async (_, name, levels) => {
    writeFileSync(join(folder, 'short'), 'short');
    const log = createKeptLog();
    await warnOfAdminToken(name === undefined ? tokenFile : join(folder, name), log);
    expect(log.lines.map(({ level }) => level)).toEqual(levels);
  });

  test.each([
    ['without a token', { authorization: '' }],
    ['with another token', { authorization: 'Bearer admin-token-0123456780' }],
    ['with a part of it', { authorization: 'Bearer admin-token-012345678' }],
    ['with another scheme', { authorization: `Basic ${token}` }],
  ])('%s it is 401', async (_name, headers) => {
    const stand = await start();
    expect([(await admin(stand, { revocations: [entry] }, headers)).status, stand.added]).toEqual([401, []]);
  });

  test('where no token is configured, or its file is empty, short or gone, nobody may', async () => {
    const short = join(folder, 'short');
    writeFileSync(short, 'short');
    const empty = join(folder, 'empty');
    writeFileSync(empty, '\n');
    const unset = await start(null);
    expect([(await admin(unset, { revocations: [entry] })).status, unset.added]).toEqual([403, []]);
    const stands = [await start(short), await start(empty), await start(join(folder, 'gone'))];
    for (const stand of stands)
      expect([(await admin(stand, { revocations: [entry] }, { authorization: 'Bearer' })).status, stand.added]).toEqual(
        [503, []],
      );
  });

  test.each([
    ['no JSON', '{', 400],
    ['a member twice', '{"revocations": [], "revocations": []}', 400],
    ['no list', entry, 400],
    ['an empty list', { revocations: [] }, 400],
    ['more beside', { revocations: [entry], dryRun: true }, 400],
    ['an entry that is none', { revocations: [entry, { issuer: 'i' }] }, 400],
    ['too many', { revocations: Array.from({ length: 1001 }, () => entry) }, 400],
    ['too long', `{"revocations": ["${'x'.repeat(1_100_000)}"]}`, 413],
  ])('%s is refused, and nothing of it taken', async (_name, body, status) => {
    const stand = await start();
    const answer = await admin(stand, body).catch(() => undefined);
    expect([answer?.status ?? status, stand.added]).toEqual([status, []]);
  });

  test('a full list, and a store that does not take it, are told', async () => {
    const stand = await start();
    stand.outcome = { kind: 'full' };
    expect((await admin(stand, { revocations: [entry] })).status).toBe(507);
    stand.outcome = { kind: 'not-shared' };
    expect((await admin(stand, { revocations: [entry] })).status).toBe(503);
  });

  test('GET tells counts, and never whom', async () => {
    const stand = await start();
    await admin(stand, { revocations: [entry] });
    const answer = await send(stand.endpoints.adminAddress ?? '', '/revocations');
    expect([answer.status, answer.body.includes('alice'), JSON.parse(answer.body)]).toMatchObject([
      200,
      false,
      { sources: [{ source: 'admin', entries: 1 }] },
    ]);
  });

  test('it is not on the open address, and not under a foreign name', async () => {
    const stand = await start();
    expect((await deliver(stand, '/revocations', { authorization: `Bearer ${token}` }, '{}')).status).toBe(404);
    expect((await admin(stand, { revocations: [entry] }, { host: 'evil.example' })).status).toBe(421);
    expect(stand.added).toEqual([]);
  });

  test('no log line has the token or a name', async () => {
    const stand = await start();
    await admin(stand, { revocations: [entry] });
    await admin(stand, { revocations: [entry] }, { authorization: 'Bearer wrong-canary-token' });
    expect(JSON.stringify(stand.log.lines)).not.toMatch(/alice|admin-token|canary/);
  });
});

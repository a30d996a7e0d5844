import { setImmediate } from 'node:timers/promises';
import { isJsonObject } from '../../../../src/core/json.ts';
import { serviceAccountUser } from '../../../../src/core/kubernetes-review.ts';
import type { HttpClient, KubernetesReviews, PasswordChecker } from '../../../../src/core/ports.ts';
import type { AuthorDocument } from '../../../../src/policy/spec.ts';
import { createFourWays, type FourWays, type Programs, type Seen } from '../../../support/caches/four-ways.ts';
import { checkOf, encodeCheck } from '../../../support/check-over-grpc.ts';
import { inlinePasswords } from '../../../support/inline-passwords.ts';
import { documentsOf } from '../../../support/policy-test.ts';
import { startSeconds } from '../../identity/identity-fixtures.ts';
import { createWorldTime } from './world-time.ts';
import { answerFor, type Shown } from './world-credentials.ts';
import type { Facts } from './world-facts.ts';
import { documentsOfState, firstState, settlesAfterMs, type Field, type WorldState } from './world-state.ts';
import type { Ask, Step } from './arbitrary-steps.ts';

/** Issuers, a cluster, policies and time, which change; and four services that answer by them. */
export interface World {
  readonly four: FourWays;
  /** Throws where the ways do not agree. */
  take(step: Step): Promise<Seen | undefined>;
  close(): Promise<void>;
}

/** What was computed of passwords: once for all runs, which is no memory of any engine. */
const computed = new Map<string, Promise<boolean>>();
const passwords: PasswordChecker = {
  matches: (hash, password) => {
    const key = JSON.stringify([hash, password]);
    const before = computed.get(key) ?? inlinePasswords.matches(hash, password);
    computed.set(key, before);
    return before;
  },
};

export async function createWorld(programs: Programs, facts: Facts, credentials: readonly Shown[]): Promise<World> {
  const time = createWorldTime(startSeconds * 1000);
  let state: WorldState = firstState;
  const stateNow = (): WorldState => state;
  const issuers = issuersAsked(stateNow, facts);
  const { clock, timers } = time;
  const parts = { clock, timers, http: issuers.http, reviews: clusterAsked(stateNow, clock), passwords };
  const toDocuments = createDocuments(facts);
  const four = await createFourWays(programs, toDocuments(state), (caches, transport) => ({
    trustedHops: 0,
    ports: parts,
    // One of the two with caches has to forget all the time.
    identity: caches === 'on' && transport === 'grpc-js' ? { tokenCacheEntries: 3, passwordCacheEntries: 1 } : {},
  }));
  // Keys that are on their way are there before anybody asks: one way would have them sooner than another.
  const settle = async (): Promise<void> => {
    const ended = (): number => four.ways.reduce((sum, way) => sum + way.fetches(), 0);
    do await setImmediate();
    while (ended() < issuers.fetchesBegun());
  };
  let asked = 0;
  const past: Ask[] = [];
  const ask = async (one: Ask): Promise<Seen | undefined> => {
    past.push(one);
    const [message, id] = [encodeAsk(one, credentials), `${asked++} ${describeAsk(one, credentials)}`];
    if (!one.twice) return four.ask(message, id);
    const [seen] = await four.askTwice(message, id);
    return seen;
  };
  const set = async (field: Field, value: number): Promise<void> => {
    state = { ...state, [field]: value };
    await four.each((stand) => stand.apply(toDocuments(state)));
    await time.advance(settlesAfterMs[field] ?? 0, settle);
  };
  return {
    four,
    take: async (step) => {
      switch (step.kind) {
        case 'ask':
          return ask(step);
        case 'again': {
          const before = past.at(-1 - step.back);
          return before && ask(before);
        }
        case 'set':
          return set(step.field, step.value).then(() => undefined);
        case 'pass':
          return time.advance(step.ms, settle).then(() => undefined);
        case 'wall':
          time.moveWall(step.seconds * 1000);
          return undefined;
        case 'revoke': {
          const scope = { issuer: '', namespace: '', provider: step.provider };
          const expiresAt = startSeconds + 86_400;
          const one = { scope, target: step.target, value: step.value, issuedBefore: undefined, expiresAt };
          return four.each(({ engine }) => engine.revocations.add('admin', [one])).then(() => undefined);
        }
      }
    },
    close: () => four.close(),
  };
}

/** The documents of a state: what a change does not touch is the same object as before it. */
function createDocuments(facts: Facts): (state: WorldState) => readonly AuthorDocument[] {
  const known = new Map<string, readonly AuthorDocument[]>();
  return (state) =>
    documentsOfState(state, facts).flatMap((document) => {
      const text = JSON.stringify(document);
      const before = known.get(text) ?? documentsOf(text);
      known.set(text, before);
      return before;
    });
}

interface Issuers {
  readonly http: HttpClient;
  readonly fetchesBegun: () => number;
}

function issuersAsked(state: () => WorldState, { keys, urls }: Facts): Issuers {
  let begun = 0;
  const http: HttpClient = {
    get: async (url) => {
      begun++;
      const { partnerKeys, partnerOnline } = state();
      if (url !== urls.partnerKeys || partnerOnline !== 0) throw new Error('nobody answers');
      const sets = [[keys.p1], [keys.p1, { jwk: { ...keys.p2.jwk, kid: 'k9' } }], [keys.p2]];
      return Buffer.from(JSON.stringify({ keys: (sets[partnerKeys] ?? []).map(({ jwk }) => jwk) }));
    },
    send: async (_url, { body }) => {
      const answer = answerFor(new URLSearchParams(body).get('token') ?? '', state().opaque);
      return { status: 200, contentType: 'application/json', body: Buffer.from(JSON.stringify(answer)) };
    },
  };
  return { http, fetchesBegun: () => begun };
}

function clusterAsked(state: () => WorldState, clock: { now(): number }): KubernetesReviews {
  return {
    reviewToken: async (token, audiences) => {
      const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      const exp = isJsonObject(claims) ? claims['exp'] : undefined;
      const isOurs = isJsonObject(claims) && claims['made'] === undefined && state().accounts === 0;
      const authenticated = isOurs && typeof exp === 'number' && clock.now() < exp * 1000;
      const user = serviceAccountUser({ namespace: 'shop', name: 'web' });
      return { authenticated, user, audiences: authenticated ? audiences : [], hasError: false };
    },
    reviewAccess: async ({ user }) => {
      const allowed = user.username === (state().grants === 0 ? 'alice' : 'root');
      return { allowed, denied: false, hasError: false };
    },
    failure: () => undefined,
  };
}

function encodeAsk(ask: Ask, credentials: readonly Shown[]): Uint8Array {
  const { method, host, path, shown, zone, tenant, forged, form } = resolve(ask, credentials);
  const headers = [
    ...shown.headers,
    ...(tenant === '' ? [] : [['x-tenant', tenant] as const]),
    ...(zone === '' ? [] : [['x-zone', zone] as const]),
    ...(forged ? [['x-user', 'root'] as const, ['x_user', 'root'] as const, ['x-internal', '1'] as const] : []),
  ];
  const request = { method, host, path, headers, clientIp: undefined };
  const check = checkOf(request, undefined, form);
  const certificate = shown.certificate ?? '';
  const attributes = (check as { readonly attributes: { readonly source: object } }).attributes;
  return encodeCheck({ attributes: { ...attributes, source: { ...attributes.source, certificate } } });
}

function describeAsk(ask: Ask, credentials: readonly Shown[]): string {
  const { method, host, path, shown } = resolve(ask, credentials);
  return `${method} ${host}${path} with ${shown.name}`;
}

interface Resolved extends Omit<Ask, 'host'> {
  readonly host: string;
  readonly shown: Shown;
}

function resolve(ask: Ask, credentials: readonly Shown[]): Resolved {
  const shown = credentials[ask.credential] ?? nothing;
  const own = shown.hosts[ask.host % shown.hosts.length] ?? 'api';
  const host = `${ask.elsewhere ?? own}.example.com`;
  return { ...ask, host, path: shown.path ?? ask.path, shown };
}

const nothing: Shown = { name: 'nothing', kind: 'staff', headers: [], hosts: [] };

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { TokenReview } from '../../../src/core/kubernetes-review.ts';
import type { IdentityPorts } from '../../../src/phases/identity/identity-ports.ts';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import { parseAccount } from '../../../src/phases/identity/service-account/read-account-token.ts';
import { createServiceAccountProvider } from '../../../src/phases/identity/service-account/service-account-provider.ts';
import {
  bearer,
  createWorld,
  credentialOf,
  encode,
  startSeconds,
  verdictOf,
  type Claims,
} from './identity-fixtures.ts';

const subject = 'system:serviceaccount:shop:web';
const user = { username: subject, uid: 'u1', groups: ['system:serviceaccounts'], extra: new Map([['pod', ['a']]]) };
const granted: TokenReview = { authenticated: true, user, audiences: ['orders'], hasError: false };

function tokenOf(claims: Claims = {}): string {
  const all = { sub: subject, aud: ['orders'], exp: startSeconds + 600, ...claims };
  return `${encode('{"alg":"RS256"}')}.${encode(JSON.stringify(all))}.${encode('signature')}`;
}

function stand(settings: Partial<IdentityPorts['settings']> = {}) {
  const world = createWorld([], settings);
  const asked: string[] = [];
  let answer = (): Promise<TokenReview> => Promise.resolve(granted);
  let failure: string | undefined;
  const reviews: NonNullable<IdentityPorts['reviews']> = {
    reviewToken: (token, audiences) => {
      asked.push(`${audiences.join(',')} ${token}`);
      return answer();
    },
    reviewAccess: () => Promise.reject(new Failure('x', 'x')),
    failure: () => failure,
  };
  const spec = {
    kind: 'IdentityProvider',
    type: 'ServiceAccount',
    namespace: 'shop',
    name: 'workloads',
    audiences: ['orders'],
    from: [bearer],
  } as const;
  const create = (ports: IdentityPorts): MessageProvider => createServiceAccountProvider(spec, ports);
  const provider = create({ ...world.ports, reviews });
  const ask = async (token: string, of = provider): Promise<string> => verdictOf(await of.verify(credentialOf(token)));
  return {
    ...world,
    asked,
    ask,
    provider,
    alone: () => create(world.ports),
    answers: (review: TokenReview | Failure) => {
      answer = () => (review instanceof Failure ? Promise.reject(review) : Promise.resolve(review));
    },
    fails: (why: string) => void (failure = why),
  };
}

it('takes a token that the API server vouches for, and says all that it said of the account', async () => {
  const { provider } = stand();
  expect(await provider.verify(credentialOf(tokenOf()))).toEqual({
    identity: {
      authenticated: true,
      subject,
      issuer: '',
      provider: 'workloads',
      clientId: '',
      scopes: [],
      roles: [],
      claims: {
        namespace: 'shop',
        serviceAccount: 'web',
        uid: 'u1',
        groups: ['system:serviceaccounts'],
        extra: { pod: ['a'] },
      },
      expiresAt: startSeconds + 600,
      kubernetesUser: user,
    },
  });
});

describe('no call is made for', () => {
  it.each<readonly [string, string, string]>([
    ['what is no JWT', 'opaque-token', 'token_malformed'],
    ['an encrypted JWT', 'a.b.c.d.e', 'token_malformed'],
    ['a token of somebody else', tokenOf({ sub: 'alice' }), 'token_type'],
    ['one without a subject', tokenOf({ sub: undefined }), 'token_type'],
    ['a subject with more parts', tokenOf({ sub: `${subject}:x` }), 'token_type'],
    ['another audience', tokenOf({ aud: ['other'] }), 'token_audience'],
    ['an audience that is none', tokenOf({ aud: [7] }), 'token_audience'],
    ['one past its end', tokenOf({ exp: startSeconds - 31 }), 'token_expired'],
    ['an end that is none', tokenOf({ exp: 'soon' }), 'token_claim'],
    ['one that is too long', tokenOf({ more: 'x'.repeat(17_000) }), 'token_too_large'],
  ])('%s', async (_title, token, code) => {
    const { ask, asked } = stand();
    expect(await ask(token)).toBe(code);
    expect(asked).toEqual([]);
  });

  it('and one is made for its like that is good', async () => {
    const { ask, asked } = stand();
    expect(await ask(tokenOf({ aud: 'orders' }))).toBe('allow');
    // The old tokens out of Secrets say neither.
    expect(await ask(tokenOf({ aud: undefined, exp: undefined }))).toBe('allow');
    expect(asked).toHaveLength(2);
  });

  it('any text, which is answered and never thrown for', () => {
    const { provider, asked } = stand();
    fc.assert(
      fc.property(fc.string(), (text) => {
        const result = provider.verify(credentialOf(text));
        expect('denial' in result).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(asked).toEqual([]);
  });
});

describe('the answer', () => {
  it.each<readonly [string, Partial<TokenReview>, string]>([
    ['that says no', { authenticated: false }, 'token_inactive'],
    ['that has an error beside a yes', { hasError: true }, 'token_inactive'],
    ['without audiences, of a server that does not look at them', { audiences: [] }, 'token_audience'],
    ['for another audience', { audiences: ['other'] }, 'token_audience'],
    ['about a person', { user: { ...user, username: 'admin' } }, 'token_type'],
    ['about another account than the token says', { user: { ...user, username: `${subject}2` } }, 'token_type'],
  ])('%s denies', async (_title, changes, code) => {
    const { ask, answers } = stand();
    answers({ ...granted, ...changes });
    expect(await ask(tokenOf())).toBe(code);
  });
});

describe('what was said', () => {
  it('is taken for a while, and asked for anew after it', async () => {
    const { ask, asked, time, answers } = stand({ tokenReviewTtlMs: 30_000 });
    for (let i = 0; i < 3; i++) expect(await ask(tokenOf())).toBe('allow');
    expect(asked).toEqual([`orders ${tokenOf()}`]);
    await time.advance(29_999);
    answers({ ...granted, authenticated: false });
    expect(await ask(tokenOf())).toBe('allow');
    await time.advance(1);
    expect(await ask(tokenOf())).toBe('token_inactive');
    expect(asked).toHaveLength(2);
  });

  it('is never taken beyond the end of the token, also where the wall clock is set on', async () => {
    const { ask, asked, time } = stand({ tokenReviewTtlMs: 30_000 });
    const short = tokenOf({ exp: startSeconds + 10 });
    expect(await ask(short)).toBe('allow');
    await time.advance(10_000);
    await ask(short);
    expect(asked).toHaveLength(2);
    expect(await ask(tokenOf())).toBe('allow');
    time.setWall(startSeconds + 700);
    expect(await ask(tokenOf())).toBe('token_expired');
  });

  it('is not taken at all where the setting says so', async () => {
    const { ask, asked } = stand({ tokenReviewTtlMs: 0 });
    await ask(tokenOf());
    await ask(tokenOf());
    expect(asked).toHaveLength(2);
  });

  it('against a token is taken for five seconds', async () => {
    const { ask, asked, time, answers } = stand();
    answers({ ...granted, authenticated: false });
    await ask(tokenOf());
    answers(granted);
    expect(await ask(tokenOf())).toBe('token_inactive');
    await time.advance(5000);
    expect(await ask(tokenOf())).toBe('allow');
    expect(asked).toHaveLength(2);
  });

  it('is asked for once by all who come at the same time', async () => {
    const { ask, asked } = stand();
    expect(await Promise.all([ask(tokenOf()), ask(tokenOf()), ask(tokenOf())])).toEqual(['allow', 'allow', 'allow']);
    expect(asked).toHaveLength(1);
  });

  it('stays when others make up thousands of tokens', async () => {
    const { ask, asked, answers } = stand();
    await ask(tokenOf());
    answers({ ...granted, authenticated: false });
    for (let i = 0; i < 3000; i++) await ask(tokenOf({ jti: i }));
    expect(await ask(tokenOf())).toBe('allow');
    expect(asked).toHaveLength(3001);
  });
});

it('denies with 503 while there is no answer, remembers no outage, and says why in its status', async () => {
  const { ask, asked, answers, fails, provider } = stand();
  answers(new Failure('review_unavailable', 'away'));
  fails('away');
  expect(provider.status()).toMatchObject({ isAsked: false });
  expect(await ask(tokenOf())).toBe('review_unavailable');
  expect(provider.status()).toMatchObject({ lastError: 'away', isAnswering: false, isAsked: true });
  answers(granted);
  expect(await ask(tokenOf())).toBe('allow');
  expect(asked).toHaveLength(2);
});

it('denies with 503 where there is no cluster to ask, and says so', async () => {
  const { ask, alone } = stand();
  expect(await ask(tokenOf(), alone())).toBe('review_unavailable');
  expect(alone().status()).toMatchObject({ isAnswering: false, lastError: expect.stringContaining('no cluster') });
});

it.each([
  ['system:serviceaccount:shop:web', { namespace: 'shop', name: 'web' }],
  ['system:serviceaccount:shop:web.v2', { namespace: 'shop', name: 'web.v2' }],
  ['system:serviceaccount:shop:', undefined],
  ['system:serviceaccount::web', undefined],
  ['system:serviceaccount:shop:web\n', undefined],
  ['xsystem:serviceaccount:shop:web', undefined],
  ['system:masters', undefined],
])('%j is the account %j', (name, account) => {
  expect(parseAccount(name)).toEqual(account);
});

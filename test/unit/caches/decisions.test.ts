import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PasswordChecker } from '../../../src/core/ports.ts';
import { issuersOf, readIssuable } from '../../../src/policy-test/token-issuers.ts';
import { createTokenMint, type TokenMint } from '../../../src/policy-test/token-mint.ts';
import {
  createFourWays,
  answerOf,
  loadPrograms,
  type FourWays,
  type Programs,
} from '../../support/caches/four-ways.ts';
import { seededShuffle } from '../../support/caches/seeded-shuffle.ts';
import { checkOf, encodeCheck } from '../../support/check-over-grpc.ts';
import { inlinePasswords } from '../../support/inline-passwords.ts';
import { readPolicyTest, type PolicyTest } from '../../support/policy-test.ts';
import { readPolicyTests } from '../../support/policy-tests.ts';

let programs: Programs;
beforeAll(async () => {
  programs = await loadPrograms();
}, 60_000);

/** Hashes are slow on purpose: each is computed once for all ways, which is no memory of any engine. */
const computed = new Map<string, Promise<boolean>>();
const passwords: PasswordChecker = {
  matches: (hash, password) => {
    const key = JSON.stringify([hash, password]);
    const before = computed.get(key) ?? inlinePasswords.matches(hash, password);
    computed.set(key, before);
    return before;
  },
};

interface Asked {
  readonly name: string;
  readonly message: Uint8Array;
  readonly allows: boolean;
}

const seed = Number((process.env['SEED'] ?? '20261121').split(':')[0]);
let hitsWithCaches = 0;

/** The contract's own test runs on policies of which this version refuses some: there all that counts is that the ways agree. */
const suites = [...readPolicyTests(), { ...readPolicyTest('test/contract/policy-test.yaml'), isContract: true }];

describe.each(suites)('$name', (policyTest) => {
  let four: FourWays;
  let asked: readonly Asked[];
  beforeAll(async () => {
    const mint = await mintOf(policyTest);
    const options = { ...policyTest.options, ...policyTest, mint, ports: { passwords } };
    four = await createFourWays(programs, policyTest.documents, () => options);
    asked = await messagesOf(policyTest, mint);
  }, 60_000);
  afterAll(() => four.close());

  test(
    'every case is answered alike with and without caches, on both transports, the first time and the second',
    { timeout: 60_000 },
    async () => {
      for (const { name, message, allows } of asked) {
        const first = await four.ask(message, name);
        await four.ask(message, `${name}, again`);
        if ('isContract' in policyTest) continue;
        expect([name, first.status, answerOf(first).status?.code === 0]).toEqual([name, 'OK', allows]);
      }
    },
  );

  test(`and in another order, as SEED=${seed} shuffles them`, { timeout: 60_000 }, async () => {
    for (const { name, message } of seededShuffle(asked, seed)) await four.ask(message, name);
    const hits = four.ways.map((way) => way.hits());
    expect(hits.slice(0, 2)).toEqual([0, 0]);
    expect(hits[2]).toBe(hits[3]);
    hitsWithCaches += hits[2] ?? 0;
  });
});

test('what was remembered did answer where there are caches', () => {
  expect(hitsWithCaches).toBeGreaterThan(500);
});

function mintOf({ documents, issuers, tokens, options }: PolicyTest): Promise<TokenMint> {
  const issuable = readIssuable(documents, 'portcullis');
  const known = Object.entries(issuers).filter(([name]) => issuable.providers.some((one) => one.name === name));
  const now = Date.parse(options.now ?? '2026-06-01T12:00:00Z');
  return createTokenMint(issuersOf(Object.fromEntries(known), issuable), tokens, now);
}

/** Each case as a proxy asks: its headers joined, and apart. */
async function messagesOf({ cases }: PolicyTest, mint: TokenMint): Promise<readonly Asked[]> {
  const asked: Asked[] = [];
  for (const { name, request, check, token: tokenName, expect: expected } of cases) {
    const allows = expected.decision === 'allow';
    const token = tokenName === undefined ? undefined : await mint.mint(tokenName);
    const checks =
      request === undefined
        ? [['raw', check ?? {}] as const]
        : (['joined', 'apart'] as const).map((form) => [form, checkOf(request, token, form)] as const);
    for (const [form, one] of checks) asked.push({ name: `${name} (${form})`, message: encodeCheck(one), allows });
  }
  return asked;
}

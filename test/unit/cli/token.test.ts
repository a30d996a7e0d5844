import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectToken } from '../../../src/runtime/inspect-token.ts';
import { createTokenMint } from '../../../src/policy-test/token-mint.ts';
import { run, type CliRun } from './cli-fixtures.ts';

let folder: string;
const tokens: Record<string, string> = {};
const file = (name: string): string => join(folder, name);

const provider = (name: string, more = ''): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: IdentityProvider\nmetadata: {name: ${name}, namespace: shop}\nspec: {type: JWT, jwt: {issuer: "https://idp.example", audiences: [orders]${more}}}\n`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-token-'));
  const mint = await createTokenMint(
    [{ name: 'idp', form: 'signed', alg: 'RS256', iss: 'https://idp.example', aud: 'orders' }],
    {
      good: { issuer: 'idp', claims: { sub: 'alice' } },
      forged: { extends: 'good', sign: 'OtherKey' },
      bad: { extends: 'good', claims: { aud: 'other', exp: 1000, 'a\u001bb': '\u202e' }, header: { zip: 'DEF' } },
      foreign: { extends: 'good', claims: { iss: 'https://elsewhere.example' } },
    },
    Date.now(),
  );
  for (const name of ['good', 'forged', 'bad', 'foreign']) {
    tokens[name] = await mint.mint(name);
    writeFileSync(file(name), `Bearer ${tokens[name]}\n`);
  }
  const jwks = JSON.stringify(await mint.jwks('idp'));
  writeFileSync(file('jwks'), jwks);
  writeFileSync(file('idp.yaml'), provider('idp'));
  writeFileSync(file('inline.yaml'), provider('idp', `, jwks: {inline: '${jwks}'}`));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function token(name: string, ...args: readonly string[]): Promise<CliRun> {
  const ran = await run(['token', `@${file(name)}`, ...args], {
    registry: { inspectToken: () => Promise.resolve(inspectToken) },
  });
  // What it never prints, whatever it says.
  expect(ran.stdout + ran.stderr).not.toContain(tokens[name]?.split('.')[2] ?? 'a signature');
  return ran;
}

describe('a token alone', () => {
  test('is decoded, with its times in words, and judged by nobody', async () => {
    const { exitCode, stdout } = await token('good');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^header\n {2}alg: "RS256"\n/);
    expect(stdout).toContain('  iss: "https://idp.example"\n');
    expect(stdout).toMatch(/\n {2}exp: \d{4}-\d\d-\d\dT.*Z \(in \d+ (minutes|hours?)\)\n/);
    expect(stdout).toMatch(/\nnot judged, only decoded: give --policies\n$/);
  });

  test('comes from standard input too', async () => {
    const world = {
      stdin: `${tokens['good'] ?? ''}\n`,
      registry: { inspectToken: () => Promise.resolve(inspectToken) },
    };
    expect((await run(['token', '-'], world)).stdout).toBe((await token('good')).stdout);
  });

  test('whose text could move the cursor or turn the line around is printed escaped', async () => {
    expect((await token('bad')).stdout).toContain('  a\\u001bb: "\\u202e"\n');
  });

  test.each(['none', 'a.b', 'a.b.c.d.e', '!.!.!'])('%j is none, and that is exit code 1', async (text) => {
    expect(await run(['token', text], { registry: { inspectToken: () => Promise.resolve(inspectToken) } })).toEqual({
      exitCode: 1,
      stdout: expect.stringMatching(/^REFUSED .* \[token_malformed\]\n$/),
      stderr: '',
    });
  });
});

describe('judged by the providers of documents', () => {
  test('without keys it says that the signature was not looked at', async () => {
    const { exitCode, stdout } = await token('good', '--policies', file('idp.yaml'));
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('  signature: not looked at: there are no keys\n')]);
    expect(stdout).toMatch(/\nNOT VERIFIED .* by IdentityProvider shop\/idp\n$/);
  });

  test.each([
    ['of the documents', 'inline.yaml', []],
    ['of a file', 'idp.yaml', ['--jwks']],
  ])('with keys %s it is accepted, and one with another signature is not', async (_title, documents, flags) => {
    const args = ['--policies', file(documents), ...flags.flatMap((flag) => [flag, file('jwks')])];
    const good = await token('good', ...args);
    expect([good.exitCode, good.stdout]).toEqual([
      0,
      expect.stringMatching(/\nACCEPTED by IdentityProvider shop\/idp\n$/),
    ]);
    const forged = await token('forged', ...args);
    expect([forged.exitCode, forged.stdout]).toEqual([1, expect.stringContaining('[token_signature]')]);
  });

  test('every check is made in the order of serving, also behind the first refusal', async () => {
    const { exitCode, stdout } = await token('bad', '--policies', file('inline.yaml'), '-o', 'json');
    const { judgements } = JSON.parse(stdout) as {
      readonly judgements: readonly [
        { readonly checks: readonly { readonly check: string; readonly code?: string }[] },
      ];
    };
    expect([exitCode, judgements[0].checks.map(({ check, code = '' }) => `${check} ${code}`)]).toEqual([
      1,
      [
        'extensions token_malformed',
        'algorithm ',
        'key id ',
        'type ',
        'issuer ',
        'expiry token_expired',
        'not before ',
        'issued at ',
        'lifetime ',
        'audience token_audience',
        'binding ',
        'use ',
        'required claims ',
        'subject ',
        expect.stringMatching(/^signature /),
        'not an id token ',
      ],
    ]);
  });

  test('one of another issuer is judged by nobody, unless a provider is named', async () => {
    const foreign = await token('foreign', '--policies', file('inline.yaml'));
    expect([foreign.exitCode, foreign.stdout]).toEqual([
      1,
      expect.stringMatching(/\nREFUSED no provider .*\[token_issuer\]; .*\n$/),
    ]);
    const named = await token('foreign', '--policies', file('inline.yaml'), '--provider', 'shop/idp');
    expect([named.exitCode, named.stdout]).toEqual([1, expect.stringContaining('  issuer: REFUSED: ')]);
  });
});

describe('mistakes', () => {
  test.each([
    [['--provider', 'shop/idp'], '--provider and --jwks say who judges; give --policies too'],
    [['--policies', '-', '--policies', '-'], 'standard input can be read only once; give - once'],
  ])('%j', async (flags, message) => {
    expect(await token('good', ...flags)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `portcullis: ${message}; see portcullis token --help\n`,
    });
  });

  test('a provider that is not there is named, with those that are', async () => {
    expect(await token('good', '--policies', file('idp.yaml'), '--provider', 'shop/ipd')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('no provider is named shop/ipd; there are: shop/idp (NAMESPACE/NAME'),
    });
  });
});

describe('a token with an HMAC', () => {
  const hmac = `apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: partners, namespace: shop}
spec: {type: SharedSecretJWT, sharedSecretJwt: {secretSelector: {matchLabels: {consumer: "1"}}}}
`;
  const secret = `---
apiVersion: v1
kind: Secret
metadata: {name: acme, namespace: shop, labels: {consumer: "1"}}
stringData: {key: acme, secret: ${'s'.repeat(32)}}
`;
  const sign = (key: string): string => {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const input = `${encode({ alg: 'HS256' })}.${encode({ iss: 'acme', exp: 4_000_000_000 })}`;
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
  };
  const judged = async (key: string, documents: string, ...args: readonly string[]): Promise<CliRun> => {
    tokens['hmac'] = sign(key);
    writeFileSync(file('hmac'), `${tokens['hmac']}\n`);
    writeFileSync(file('partners.yaml'), documents);
    const ran = await token('hmac', '--policies', file('partners.yaml'), ...args);
    expect(ran.stdout + ran.stderr).not.toContain('ssss');
    return ran;
  };

  test('is judged by the providers of its kind, with the secrets of the documents', async () => {
    const good = await judged('s'.repeat(32), hmac + secret);
    expect([good.exitCode, good.stdout]).toEqual([
      0,
      expect.stringContaining(
        'IdentityProvider shop/partners\n  token: ok\nACCEPTED by IdentityProvider shop/partners\n',
      ),
    ]);
    const forged = await judged('t'.repeat(32), hmac + secret);
    expect([forged.exitCode, forged.stdout]).toEqual([1, expect.stringContaining('[token_signature]')]);
  });

  test('is refused for what the provider lacks, which is told', async () => {
    const { exitCode, stdout } = await judged('s'.repeat(32), hmac);
    expect([exitCode, stdout]).toEqual([
      1,
      expect.stringContaining('the selector takes no Secret of the namespace shop'),
    ]);
  });

  test('finds nobody among providers of other kinds, and they are named', async () => {
    const other = hmac.replace('SharedSecretJWT, sharedSecretJwt: {', 'APIKey, apiKey: {from: [{header: x}], ');
    const { exitCode, stdout } = await judged('s'.repeat(32), other);
    expect([exitCode, stdout]).toEqual([
      1,
      expect.stringContaining('IdentityProvider shop/partners is of type APIKey'),
    ]);
    const named = await judged('s'.repeat(32), other, '--provider', 'partners');
    expect([named.exitCode, named.stderr]).toEqual([2, expect.stringContaining('are not judged here')]);
  });
});

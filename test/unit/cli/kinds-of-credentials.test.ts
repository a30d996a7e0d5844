import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { explain } from '../../../src/runtime/explain.ts';
import { testPolicies } from '../../../src/runtime/test-policies.ts';
import { run, type CliRun } from './cli-fixtures.ts';

const provider = (name: string, type: string, part: string): string =>
  `{apiVersion: portcullis.dev/v1alpha1, kind: IdentityProvider, metadata: {name: ${name}, namespace: shop}, spec: {type: ${type}, ${part}}}`;
const policy = (host: string, name: string, authorization: string): string =>
  `{apiVersion: portcullis.dev/v1alpha1, kind: AccessPolicy, metadata: {name: ${host}, namespace: shop}, spec: {hosts: [${host}.example], authentication: {providers: [${name}]}, rules: [{name: one, matches: [{path: {type: PathPrefix, value: /}}], access: Restricted, authorization: {${authorization}}}]}}`;

const endpoint =
  'endpoint: "https://idp.example/introspect", clientAuthentication: {method: Basic, secretRef: {name: client}}';
const documents = [
  provider('idp', 'JWT', 'jwt: {issuer: "https://idp.example", audiences: [orders]}'),
  provider(
    'opaque',
    'Introspection',
    `introspection: {${endpoint}, issuer: "https://opaque.example", audiences: [orders]}`,
  ),
  provider(
    'signed',
    'Introspection',
    `introspection: {${endpoint}, issuer: "https://signed.example", audiences: [orders], signedAnswers: Required, caRef: {name: ca, key: ca.crt}}`,
  ),
  provider('nameless', 'Introspection', `introspection: {${endpoint}, audiences: [orders], cache: {ttl: 0s}}`),
  provider('workloads', 'ServiceAccount', 'serviceAccount: {audiences: [orders]}'),
  provider('keys', 'APIKey', 'apiKey: {from: [{header: x-api-key}], secretSelector: {matchLabels: {key: "true"}}}'),
  provider(
    'mesh',
    'ClientCertificate',
    'clientCertificate: {source: ValidatedPrincipal, spiffe: {trustDomains: [cluster.local]}}',
  ),
  policy('both', '{name: idp}, {name: opaque}', 'scopes: {allOf: [read]}'),
  policy('signed', '{name: signed}', 'scopes: {allOf: [read]}'),
  policy('nameless', '{name: nameless}', 'scopes: {allOf: [read]}'),
  policy('workloads', '{name: workloads}', 'claims: [{claim: serviceAccount, in: [web]}]'),
  policy('keys', '{name: keys}', 'scopes: {allOf: [read]}'),
].join('\n---\n');

describe('explain with made-up claims', () => {
  const explaining = (host: string, claims: object, ...args: readonly string[]): Promise<CliRun> => {
    const registry = { explain: () => Promise.resolve(explain) };
    const made = ['--claims', JSON.stringify(claims), ...args, `http://${host}.example/`];
    return run(['explain', '--policies', '-', '--show-values', ...made], { registry, stdin: documents });
  };
  const verdict = ({ exitCode, stdout }: CliRun): readonly unknown[] => [
    exitCode,
    /of (\S+): subject "([^"]*)"/.exec(stdout)?.slice(1).join(' '),
    /^(ALLOWED|DENIED \d+ \S+)/m.exec(stdout)?.[1],
  ];
  const web = 'system:serviceaccount:shop:web';

  test.each<[string, string, object, readonly string[], readonly unknown[]]>([
    ['an answer about a token', 'nameless', { sub: 'a', scope: 'read' }, [], [0, 'nameless a', 'ALLOWED']],
    [
      'an answer that lacks the scope',
      'nameless',
      { sub: 'a', scope: 'x' },
      [],
      [1, 'nameless a', 'DENIED 403 insufficient_scope'],
    ],
    ['a signed answer', 'signed', { sub: 'a', scope: 'read' }, [], [0, 'signed a', 'ALLOWED']],
    [
      'one of two providers, by name',
      'both',
      { sub: 'a', scope: 'read' },
      ['--provider', 'opaque'],
      [0, 'opaque a', 'ALLOWED'],
    ],
    ['the other of the two', 'both', { sub: 'a', scope: 'read' }, ['--provider', 'idp'], [0, 'idp a', 'ALLOWED']],
    [
      'one of two, by the issuer',
      'both',
      { iss: 'https://opaque.example', sub: 'a', scope: 'read' },
      [],
      [0, 'opaque a', 'ALLOWED'],
    ],
    ['a service account', 'workloads', { sub: web }, [], [0, `workloads ${web}`, 'ALLOWED']],
    ['another account', 'workloads', { sub: `${web}2` }, [], [1, `workloads ${web}2`, 'DENIED 403 claim_mismatch']],
    ['a person in place of an account', 'workloads', { sub: 'admin' }, [], [1, undefined, 'DENIED 401 token_type']],
    [
      'an account with an issuer, of a provider that looks at none',
      'workloads',
      { iss: 'https://k8s', sub: web },
      ['--provider', 'workloads'],
      [0, `workloads ${web}`, 'ALLOWED'],
    ],
  ])('%s', async (_title, host, claims, args, expected) => {
    expect(verdict(await explaining(host, claims, ...args))).toEqual(expected);
  });

  test.each([
    ['keys', [], 'shop/keys is of type APIKey, and no claims make its identities: show a credential with --header'],
    ['both', ['--provider', 'keys'], 'shop/keys is of type APIKey'],
    [
      'both',
      ['--provider', 'mesh'],
      'shop/mesh is of type ClientCertificate, and no claims make its identities: show a credential with --principal',
    ],
    ['both', [], 'several providers fit'],
  ])('of %s with %j are refused where none can be made of them', async (host, args, message) => {
    const { exitCode, stderr } = await explaining(host, { sub: 'a' }, ...args);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('a PolicyTest', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'portcullis-kinds-'));
    writeFileSync(join(folder, 'policies.yaml'), documents);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const testing = (issuers: string, tokens: string, tests: string): Promise<CliRun> => {
    const head =
      'apiVersion: test.portcullis.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: kinds}\npolicies: [policies.yaml]\n';
    writeFileSync(join(folder, 'test.yaml'), `${head}issuers: ${issuers}\ntokens: ${tokens}\ntests: [${tests}]\n`);
    const registry = { testPolicies: () => Promise.resolve(testPolicies) };
    return run(['test', join(folder, 'test.yaml')], { registry });
  };
  const expecting = (host: string, token: string, expected: string): string =>
    `{name: ${token} at ${host}, request: {host: ${host}.example}, token: ${token}, expect: {${expected}}}`;
  const sums = ({ exitCode, stdout, stderr }: CliRun): readonly unknown[] => [
    exitCode,
    stderr,
    stdout
      .split('\n')
      .filter((line) => !line.startsWith('not in force'))
      .slice(0, -2),
  ];

  test('has answers of an issuer that is asked, without its Secret, certificates or signatures', async () => {
    const tokens =
      '{good: {issuer: signed, claims: {scope: read}}, gone: {extends: good, claims: {active: false}}, plain: {issuer: nameless, claims: {scope: read}}}';
    const cases = [
      expecting('signed', 'good', 'decision: allow'),
      expecting('signed', 'gone', 'decision: deny, status: 401, code: token_inactive'),
      expecting('nameless', 'plain', 'decision: allow'),
      // Each issuer knows its own tokens alone.
      expecting('nameless', 'good', 'decision: deny, status: 401, code: token_inactive'),
    ];
    const outcome = await testing('{signed: {}, nameless: {}}', tokens, cases.join(', '));
    expect(sums(outcome)).toEqual([0, '', [`${folder}/test.yaml: kinds: 4 of 4 as expected`]]);
  });

  test('makes tokens of consumers with the secrets of its Secrets, and with no other', async () => {
    const consumers = (name: string, part: string): string =>
      provider(name, 'SharedSecretJWT', `sharedSecretJwt: {${part}, secretSelector: {matchLabels: {kind: ${name}}}}`);
    const secret = (of: string, namespace: string, data: string): string =>
      `{apiVersion: v1, kind: Secret, metadata: {name: ${of}-${namespace}, namespace: ${namespace}, labels: {kind: ${of}}}, stringData: {${data}}}`;
    const bytes = Buffer.alloc(48, 0xfe).toString('base64');
    const more = [
      consumers('named', 'keyClaim: iss'),
      consumers('bykid', 'keyClaim: "header:kid", secretEncoding: Base64, algorithms: [HS384, HS256]'),
      secret('named', 'shop', 'key: acme, secret: a-secret-of-acme-0123456789abcdefghij'),
      secret('named', 'elsewhere', 'key: globex, secret: a-secret-of-globex-0123456789abcdefg'),
      secret('bykid', 'shop', `key: acme, secret: "${bytes}"`),
      policy('named', '{name: named}', 'claims: [{claim: exp, exists: true}]'),
      policy('bykid', '{name: bykid}', 'claims: [{claim: exp, exists: true}]'),
    ];
    writeFileSync(join(folder, 'policies.yaml'), more.join('\n---\n'));
    const tokens =
      '{acme: {issuer: named, claims: {iss: acme}}, globex: {extends: acme, claims: {iss: globex}}, kid: {issuer: bykid, header: {kid: acme}}, weak: {extends: kid, header: {alg: HS256}}, other: {extends: kid, sign: OtherKey}}';
    const cases = [
      expecting('named', 'acme', 'decision: allow'),
      expecting('named', 'globex', 'decision: deny, status: 401, code: token_key'),
      expecting('named', 'kid', 'decision: deny, status: 401'),
      expecting('bykid', 'kid', 'decision: allow'),
      expecting('bykid', 'weak', 'decision: allow'),
      expecting('bykid', 'other', 'decision: deny, status: 401, code: token_signature'),
    ];
    const outcome = await testing('{named: {}, bykid: {}}', tokens, cases.join(', '));
    expect(sums(outcome)).toEqual([0, '', [`${folder}/test.yaml: kinds: 6 of 6 as expected`]]);
    const forged = await testing(
      '{named: {}}',
      '{a: {issuer: named, claims: {iss: acme}, sign: HmacWithPublicKey}}',
      expecting('named', 'a', 'decision: deny'),
    );
    expect([forged.exitCode, forged.stderr]).toEqual([
      2,
      expect.stringContaining('the token a is made with a secret: there is no key for another alg'),
    ]);
  });

  test('asks nobody where nobody stands in', async () => {
    const token = '{good: {issuer: signed, claims: {scope: read}}}';
    const denied = expecting('nameless', 'good', 'decision: deny, status: 503, code: introspection_unavailable');
    expect(sums(await testing('{signed: {}}', token, denied))[0]).toBe(0);
    const account = '{good: {issuer: idp, claims: {sub: "system:serviceaccount:shop:web", iss: null}}}';
    const unasked = expecting('workloads', 'good', 'decision: deny, status: 503, code: review_unavailable');
    expect(sums(await testing('{idp: {}}', account, unasked))[0]).toBe(0);
  });

  test.each([
    ['{opaque: {alg: RS256}}', '{a: {issuer: opaque}}', 'the issuer opaque has no key of its own, and takes no alg'],
    [
      '{opaque: {}}',
      '{a: {issuer: opaque, header: {typ: at+jwt}}}',
      'the token a is opaque: its issuer is asked about it, and it has no header',
    ],
    [
      '{keys: {}}',
      '{a: {issuer: keys}}',
      'the issuer keys stands in for no provider: none of the policies is named so, or it is of a type whose credentials are written as headers',
    ],
  ])('%s with %s is wrong', async (issuers, tokens, message) => {
    const outcome = await testing(issuers, tokens, expecting('both', 'a', 'decision: deny'));
    expect([outcome.exitCode, outcome.stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

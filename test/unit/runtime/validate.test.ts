import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../../src/core/problem.ts';
import { validateSources } from '../../../src/runtime/validate.ts';
import { explain } from '../../../src/runtime/explain.ts';
import { run, type CliRun } from '../cli/cli-fixtures.ts';

const head = (kind: string, name: string): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: ${kind}\nmetadata: {${name}}\n`;
const provider = (name: string, kind = 'IdentityProvider'): string =>
  `${head(kind, name)}spec: {type: JWT, jwt: {issuer: "https://idp.example", audiences: [a]}}\n`;
const policy = (ref: string, hosts = 'api.example.com'): string =>
  `${head('AccessPolicy', 'name: p, namespace: shop')}spec: {hosts: ["${hosts}"], authentication: {providers: [${ref}]}, rules: [{name: r, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]}\n`;

async function messages(...documents: readonly string[]): Promise<readonly string[]> {
  const { problems } = await validateSources(['-'], () => Promise.resolve(documents.join('---\n')));
  return problems.map(({ severity, message }) => `${severity}: ${message}`);
}

describe('a provider that does not exist', () => {
  const howToGive =
    'give its document too (--filename may be repeated), of a cluster with kubectl get identityproviders,clusteridentityproviders --all-namespaces --output yaml';
  const missing = 'error: the IdentityProvider shop/corp that the policy names does not exist';

  test.each([
    [
      'a ClusterIdentityProvider of the name',
      '{name: corp}',
      [provider('name: corp', 'ClusterIdentityProvider')],
      `${missing}; there is a ClusterIdentityProvider corp: write kind: ClusterIdentityProvider beside its name`,
    ],
    [
      'one of another namespace',
      '{name: corp}',
      [provider('name: corp, namespace: web')],
      `${missing}; there is one in the namespace web, and a policy uses those of its own and ClusterIdentityProviders`,
    ],
    [
      'one without a namespace',
      '{name: corp}',
      [provider('name: corp')],
      `${missing}; there is one in the namespace default (a document without metadata.namespace is of default), and a policy uses those of its own and ClusterIdentityProviders`,
    ],
    ['a near name', '{name: corp}', [provider('name: corpo, namespace: shop')], `${missing}; did you mean corpo?`],
    ['nothing like it', '{name: corp}', [provider('name: okta, namespace: shop')], `${missing}; ${howToGive}`],
    [
      'a namespaced one in place of a cluster one',
      '{kind: ClusterIdentityProvider, name: corp}',
      [provider('name: corp, namespace: shop')],
      "error: the ClusterIdentityProvider corp that the policy names does not exist; there is an IdentityProvider shop/corp: leave kind out where it is of the policy's namespace",
    ],
  ])('is told with %s', async (_title, ref, others, message) => {
    expect(await messages(policy(ref), ...others)).toEqual([message]);
  });

  test('is told by explain as by validate', async () => {
    const request = { method: 'GET', scheme: 'http', host: 'api.example.com', target: '/', headers: [] };
    const told = await explain(
      {
        policies: ['-'],
        request: { ...request, form: 'joined', clientAddress: '127.0.0.1', contextExtensions: {}, route: undefined },
        trustedHops: 0,
        jwks: undefined,
        claims: undefined,
        provider: undefined,
        showValues: false,
      },
      () => Promise.resolve([policy('{name: otka}'), provider('name: okta, namespace: shop')].join('---\n')),
    );
    expect(told.problems.map(({ message }) => message)).toEqual([
      'the IdentityProvider shop/otka that the policy names does not exist; did you mean okta?',
    ]);
  });

  test('the control: one that exists is no problem, of the namespace or of the cluster', async () => {
    expect(await messages(policy('{name: corp}'), provider('name: corp, namespace: shop'))).toEqual([]);
    expect(
      await messages(
        policy('{kind: ClusterIdentityProvider, name: corp}'),
        provider('name: corp', 'ClusterIdentityProvider'),
      ),
    ).toEqual([]);
  });
});

describe('--host-grant', () => {
  const validate = (host: string, ...flags: readonly string[]): Promise<CliRun> =>
    run(['validate', '-', ...flags], {
      stdin: [policy('{name: corp}', host), provider('name: corp, namespace: shop')].join('---\n'),
      registry: { validateSources: () => Promise.resolve(validateSources) },
    });
  const refused = (host: string): string =>
    `-:4:15: error: the host ${host} is not granted to the namespace shop: the operator's hostGrants decide [host-not-granted]\n0 documents valid`;

  test('without it * is a warning and everything else is nobody’s question', async () => {
    expect(await validate('*')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('[host-not-granted]') });
    expect(await validate('api.example.com')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test.each([
    ['*', 'shop=*', 0],
    ['api.example.com', 'shop=*.example.com,web=*', 0],
    ['*', 'shop=*.example.com', 1],
    ['api.example.com', 'web=*', 1],
  ] as const)('the host %s with %s ends with %i', async (host, grant, exitCode) => {
    const { exitCode: ended, stdout } = await validate(host, '--host-grant', grant);
    expect(ended).toBe(exitCode);
    expect(stdout.includes('not granted')).toBe(exitCode === 1);
    expect(stdout.includes('warning:')).toBe(false);
    if (exitCode === 1) expect(stdout).toContain(refused(host).split(' error')[1]?.slice(0, 30));
  });

  test('may be repeated', async () => {
    const grants = ['--host-grant', 'web=*.web.example', '--host-grant', 'shop=*.example.com'];
    expect(await validate('api.example.com', ...grants)).toMatchObject({ exitCode: 0 });
  });

  test.each(['shop', 'shop=', '=a.example', ''])('%j is none, and told so', async (grant) => {
    expect(await validate('*', '--host-grant', grant)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^portcullis: --host-grant: it takes NAMESPACE=HOST such as shop=\*\.example\.com.*\n$/,
      ),
    });
  });
});

/** What `kubectl get -o yaml` prints of policies, each of a namespace and with its age. */
const dump = (...policies: readonly (readonly [namespace: string, host: string, created: string])[]): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    metadata: { resourceVersion: '' },
    items: policies.map(([namespace, host, creationTimestamp]) => ({
      apiVersion: 'portcullis.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: {
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"spec":{"hosts":["*"]}}' },
        creationTimestamp,
        generation: 2,
        managedFields: [{ manager: 'kubectl', operation: 'Update' }],
        name: 'p',
        namespace,
        resourceVersion: '556',
        uid: `uid-of-${namespace}`,
      },
      spec: { hosts: [host], rules: [{ name: 'r', matches: [{ methods: ['GET'] }], access: 'Public' }] },
      status: { servedGeneration: 2, conditions: [{ type: 'Accepted', status: 'True' }] },
    })),
  });

describe('what a cluster holds', () => {
  test('is read with its status and what else the API server added', async () => {
    const own = dump(['shop', 'shop.example', '2024-01-01T00:00:00Z'], ['pay', 'pay.example', '2025-01-01T00:00:00Z']);
    expect(await messages(own)).toEqual([]);
  });

  test('is judged without ages: two namespaces that name one host are an error, whoever is older', async () => {
    const rivals = dump(['shop', 'a.example', '2024-01-01T00:00:00Z'], ['pay', 'a.example', '2025-01-01T00:00:00Z']);
    const claimed = (by: string): string =>
      `error: the host a.example is claimed by the namespace ${by} too: the operator's hostGrants can decide`;
    expect(await messages(rivals)).toEqual([claimed('pay'), claimed('shop')]);
    const grants = new Map([['pay', ['a.example']]]);
    const { documents } = await validateSources(['-'], () => Promise.resolve(rivals), grants);
    expect(documents.map(({ key, accepted }) => [key, accepted])).toEqual([
      ['AccessPolicy shop/p', false],
      ['AccessPolicy pay/p', true],
    ]);
  });
});

test('a policy in shadow mode on a host of somebody else is a warning, and on its own host none', async () => {
  const okta = '{kind: ClusterIdentityProvider, name: okta}';
  const shared = provider('name: okta', 'ClusterIdentityProvider');
  const shadow = policy(okta, 'a.example')
    .replace('namespace: shop', 'namespace: pay')
    .replace('spec: {', 'spec: {mode: Shadow, ');
  const told = 'the policy, in shadow mode, is not judged there';
  expect(await messages(shared, shadow)).toEqual([]);
  expect(await messages(shared, shadow, policy(okta, 'a.example'))).toEqual([
    `warning: the host a.example belongs to the namespace shop: ${told}`,
  ]);
  const granted = async (namespace: string): Promise<readonly string[]> => {
    const text = [shared, shadow].join('---\n');
    const grants = new Map([[namespace, ['a.example']]]);
    const { problems, documents } = await validateSources(['-'], () => Promise.resolve(text), grants);
    expect(documents.every(({ accepted }) => accepted)).toBe(true);
    return problems.map(({ code, field }) => `${code} ${field}`);
  };
  expect([await granted('pay'), await granted('shop')]).toEqual([[], ['host-conflict spec.hosts[0]']]);
});

describe('a word that kubectl reads as a boolean', () => {
  const claims = (claim: string): string =>
    policy('{name: okta}').replace(
      'access: Authenticated',
      `access: Restricted, authorization: {claims: [{claim: member, in: [${claim}]}]}`,
    );
  const okta = provider('name: okta, namespace: shop');

  test.each(['yes', 'No', 'ON', 'off', 'y', 'N'])('%s is warned of where it is not quoted', async (word) => {
    const boolean = `warning: ${word} is a text here and a boolean for kubectl: write "${word}"`;
    expect(await messages(claims(word), okta)).toEqual([boolean]);
    expect(await messages(claims(`"${word}"`), okta)).toEqual([]);
    expect(await messages(claims(`${word}x`), okta)).toEqual([]);
  });

  test('has its place, and is no matter in a document that no cluster takes', async () => {
    const { problems } = await validateSources(['-'], () => Promise.resolve(claims('yes')));
    expect(problems.find(({ code }) => code === 'yaml-boolean')?.place).toEqual({ source: '-', line: 4, column: 214 });
    expect(await messages('apiVersion: v1\nkind: Other\nmetadata: {name: a}\nspec: yes\n')).toEqual([]);
    expect(await messages(`${head('PolicyTest', 'name: t')}spec: yes\n`)).not.toContainEqual(
      expect.stringContaining('kubectl'),
    );
  });
});

test('what is piped in is named by its document, since nobody has its lines; a file is not', async () => {
  const list = `apiVersion: v1\nkind: List\nitems:\n- ${policy('{name: corp}').replaceAll('\n', '\n  ')}`;
  const { problems } = await validateSources(['-'], () => Promise.resolve(list));
  expect(problems.map(formatProblem)).toEqual([
    expect.stringMatching(/^-:7:\d+: AccessPolicy shop\/p: error: the IdentityProvider shop\/corp/u),
  ]);
  const ofFile = await validateSources(['examples/roles/policy.yaml'], () => Promise.resolve(''));
  expect(ofFile.problems.map(({ document }) => document)).toEqual([undefined]);
});

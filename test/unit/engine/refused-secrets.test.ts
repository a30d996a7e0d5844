import { afterEach, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { formatProblem } from '../../../src/core/problem.ts';
import { toClusterDocument } from '../../../src/kubernetes/cluster-document.ts';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

const setting = `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: keys, namespace: shop}
spec: {type: APIKey, apiKey: {from: [{header: x-api-key}], secretSelector: {matchLabels: {client: "1"}}}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [a.example]
  authentication: {providers: [{name: keys}]}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]
---
`;
const apiKey = 'k-0123456789abcdef';
const good = `apiVersion: v1
kind: Secret
metadata:
  name: acme
  namespace: shop
  labels: {client: "1"}
  annotations: {portcullis.dev/expires: "2027-01-31T00:00:00Z"}
stringData: {api-key: ${apiKey}}
`;
const changed = (from: string, to: string): string => good.replace(from, to);
const expires = '"2027-01-31T00:00:00Z"';

async function ask(on: DecisionStand, key = apiKey): Promise<string> {
  const decision = await on.engine.check(rawRequest({ host: 'a.example', path: '/', headers: [['x-api-key', key]] }));
  return decision.kind === 'allow' ? decision.about.identity.subject : decision.denial.code;
}

const start = async (secret: string): Promise<DecisionStand> =>
  (stand = await createDecisionStand(documentsOf(setting + secret)));
const problemsOf = (on: DecisionStand): readonly string[] => on.engine.status().problems.map(formatProblem);

test('a Secret as it should be lets its key in until its end', async () => {
  const on = await start(good);
  expect(await ask(on)).toBe('acme');
  on.clock.set(Date.parse('2027-01-31T00:00:00Z'));
  expect(await ask(on)).toBe('token_expired');
  expect(problemsOf(on)).toEqual([]);
});

const mustBeTime =
  'inline.yaml:21:17: error: portcullis.dev/expires must be a text: a time such as "2027-01-31T00:00:00Z" [invalid-value]';

test.each([
  ['a number', changed(expires, '1577836800'), mustBeTime],
  ['a date without hyphens', changed(expires, '20200131'), mustBeTime],
  ['nothing', changed(expires, ''), mustBeTime],
  ['a list', changed(expires, '["2027-01-31T00:00:00Z"]'), mustBeTime],
  ['a truth', changed(expires, 'false'), mustBeTime],
])('the end of a key that is %s is none that could be passed over: the Secret is refused', async (_, secret, told) => {
  const on = await start(secret);
  expect(await ask(on)).toBe('credential_unknown');
  expect(problemsOf(on)).toEqual([told]);
  expect(on.engine.status().providers[0]?.lastError).toContain('Secret acme: it is refused: portcullis.dev/expires');
});

test.each([
  [
    'annotations as a list',
    changed(`annotations: {portcullis.dev/expires: ${expires}}`, `annotations: [portcullis.dev/expires=x]`),
    'annotations must be a map of names and texts, without a - before each',
  ],
  [
    'annotation',
    changed('annotations:', 'annotation:'),
    'metadata has no field "annotation"; did you mean annotations?',
  ],
  [
    'annotations beside metadata',
    changed('  annotations:', 'annotations:'),
    'a Secret has no field "annotations"; it belongs under metadata: indent it, with all that is below it',
  ],
  [
    'an end among the labels',
    changed('labels: {client: "1"}', 'labels: {client: "1", portcullis.dev/expires: "20270131"}'),
    'portcullis.dev/expires is an annotation: write it under annotations',
  ],
  [
    'a misspelt prefix',
    changed('portcullis.dev/expires', 'portculis.dev/expires'),
    '"portculis.dev/expires": did you mean portcullis.dev/expires?',
  ],
  ['no prefix', changed('portcullis.dev/expires', 'expires'), '"expires": did you mean portcullis.dev/expires?'],
  [
    'scopes as a list',
    changed(expires, `${expires}, portcullis.dev/scopes: [a, b]`),
    'portcullis.dev/scopes must be a text: write one text in quotes, with spaces between its parts',
  ],
  [
    'a client id that is a number',
    changed(expires, `${expires}, portcullis.dev/client-id: 4711`),
    'portcullis.dev/client-id must be a text: write "4711"',
  ],
  ['a label that is none', changed('"1"', '"1", team: true'), 'team must be a text: write "true"'],
  [
    'a field that is not there',
    `${good}stringdata: {}\n`,
    'a Secret has no field "stringdata"; did you mean stringData?',
  ],
  [
    'a key of digits without quotes',
    changed(`api-key: ${apiKey}`, 'api-key: 4711081547110815'),
    'api-key must be a text: put it in quotes',
  ],
  [
    'a key without a value',
    changed(`api-key: ${apiKey}`, 'api-key: null'),
    'api-key must be a text: leave it out, or write "" for the empty text',
  ],
  [
    'a list of keys',
    changed(`api-key: ${apiKey}`, `api-key: [${apiKey}]`),
    'api-key must be a text: write one text, in quotes or behind |',
  ],
  [
    'data that is not base64',
    `${good}data: {api-key: ${apiKey}!}\n`,
    'api-key is not base64: write it as plain text under stringData',
  ],
])(
  'a Secret with %s is refused as an API server would, and never used as if that were not there',
  async (_, secret, told) => {
    const on = await start(secret);
    expect(await ask(on)).toBe('credential_unknown');
    expect(problemsOf(on)).toEqual([expect.stringContaining(`error: ${told} [`)]);
  },
);

test('an end in the data of the Secret is none, and refuses it', async () => {
  const on = await start(changed('api-key:', 'expires: "2020-01-01T00:00:00Z", api-key:'));
  expect(await ask(on)).toBe('credential_unknown');
  expect(on.engine.status().providers[0]?.lastError).toBe(
    'Secret acme: expires stands in its data, where nobody reads it: write the annotation portcullis.dev/expires',
  );
});

test('what a Secret was before does not stay where it is refused now, and is there again once it is mended', async () => {
  const on = await start(good);
  expect(await ask(on)).toBe('acme');
  await on.apply(documentsOf(setting + changed(expires, '20200131')));
  expect(await ask(on)).toBe('credential_unknown');
  await on.apply(documentsOf(setting + good));
  expect(await ask(on)).toBe('acme');
});

test('a refused Secret goes on holding its key: it is no other one’s', async () => {
  const on = await start(`${changed(expires, '20200131')}---\n${good.replace('acme', 'globex')}`);
  expect(await ask(on)).toBe('credential_unknown');
});

test('a ConfigMap that an API server would not take leaves what was there (S4)', async () => {
  const map = (field: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: shop}\n${field}: {a: b}\n`;
  const on = await start(map('datas'));
  expect(problemsOf(on)).toEqual([expect.stringContaining('a ConfigMap has no field "datas"; did you mean data?')]);
  await on.apply(documentsOf(setting + map('data')));
  expect(problemsOf(on)).toEqual([]);
});

test.each([
  ['kind: Secrets', changed('kind: Secret', 'kind: Secrets'), '"Secrets": did you mean Secret?'],
  ['kind: secret', changed('kind: Secret', 'kind: secret'), '"secret": did you mean Secret?'],
  ['apiVersion: V1', changed('apiVersion: v1', 'apiVersion: V1'), 'a Secret is of apiVersion v1, and not "V1"'],
])('%s is a mistake that is told', async (_, secret, told) => {
  const on = await start(secret);
  expect(problemsOf(on)).toEqual([expect.stringContaining(`error: ${told} [unknown-version]`)]);
});

test('kinds of others that are called alike are passed over', async () => {
  const on = await start(
    'apiVersion: vault.example/v1\nkind: Secrets\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n',
  );
  expect(problemsOf(on)).toEqual([]);
});

test('of an object of a cluster names of ours in the wrong place, and in its data, refuse too, and fields that are new to us do not', async () => {
  const object = (metadata: JsonObject, data: JsonObject = {}): ReturnType<typeof toClusterDocument>['document'] => {
    const meta = { name: 'acme', namespace: 'shop', uid: 'u', generation: 0, createdAt: 0, resourceVersion: '1' };
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      novelty: 1,
      metadata,
      data: { 'api-key': btoa(apiKey), ...data },
    };
    const labels = [['client', '1']] as const;
    return toClusterDocument(secret, meta, 'Secret', undefined, { kind: 'Secret', namespace: 'shop', labels }).document;
  };
  const on = await start('');
  const told = async (metadata: JsonObject, data?: JsonObject): Promise<string> => {
    await on.apply([...documentsOf(setting), object(metadata, data)]);
    return ask(on);
  };
  const labels = { client: '1' };
  expect(await told({ labels })).toBe('acme');
  expect(await told({ labels: { ...labels, 'portcullis.dev/expires': '20200131' } })).toBe('credential_unknown');
  expect(await told({ labels, annotations: { 'portculis.dev/expires': '2020-01-01T00:00:00Z' } })).toBe(
    'credential_unknown',
  );
  expect(await told({ labels }, { ca: btoa('of another reader') })).toBe('acme');
  expect(await told({ labels }, { expires: btoa('2020-01-01T00:00:00Z') })).toBe('credential_unknown');
});

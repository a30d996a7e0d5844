import { afterEach, describe, expect, test } from 'vitest';
import { createEngine, type Engine, type EnginePorts, type StatusNews } from '../../../src/engine/engine.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { clusterDocuments } from '../../support/cluster-document.ts';
import { random, realTimers, type LogLine } from '../../support/decision-stand.ts';
import { rawRequest } from '../../support/raw-request.ts';
import { inlinePasswords } from '../../support/inline-passwords.ts';
import { noEvents, noNetwork, silentNetwork } from '../../support/networks.ts';

let engine: Engine | undefined;
afterEach(() => engine?.close());

const log: LogLine[] = [];
function start(more: Partial<EnginePorts> = {}): Engine {
  log.length = 0;
  const at = (level: string) => (fields: object, message: string) => log.push({ level, fields, message });
  engine = createEngine(
    {
      trustedHops: 0,
      maxHeaders: 100,
      serviceNamespace: 'portcullis',
      hostGrants: undefined,
      ownedHeaders: [],
      keyLoadTimeoutMs: 1000,
      shadowAll: false,
      identity: {},
    },
    {
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      timers: realTimers,
      random,
      logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
      http: noNetwork,
      passwords: inlinePasswords,
      events: noEvents,
      ...more,
    },
  );
  return engine;
}

const policy = (name: string, path: string, generation = 1, more = ''): readonly AuthorDocument[] =>
  clusterDocuments(
    `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: ${name}, namespace: shop}
spec: {hosts: [${name}.example], rules: [{name: r, matches: [{path: {type: PathPrefix, value: ${path}}}], access: Public}]${more}}
`,
    { generation },
  );
const provider = (spec: string): readonly AuthorDocument[] =>
  clusterDocuments(`
apiVersion: portcullis.dev/v1alpha1
kind: ClusterIdentityProvider
metadata: {name: idp}
spec: {type: JWT, jwt: {issuer: "https://idp.example", ${spec}}}
`);

async function codeOf(on: Engine, name: string, path: string): Promise<string> {
  const decision = await on.check(rawRequest({ host: `${name}.example`, path }));
  return decision.kind === 'allow' ? 'allow' : decision.denial.code;
}

describe('a change of a source', () => {
  test('replaces the document of the same name and leaves the others alone', async () => {
    const on = start();
    await on.applyChange({ changed: [...policy('a', '/a'), ...policy('b', '/b')], removed: [] });
    await on.applyChange({ changed: policy('a', '/new', 2), removed: [] });
    expect(await codeOf(on, 'a', '/new')).toBe('allow');
    expect(await codeOf(on, 'a', '/a')).toBe('no_rule');
    expect(await codeOf(on, 'b', '/b')).toBe('allow');
    await on.applyChange({ changed: [], removed: policy('a', '/whatever') });
    expect(await codeOf(on, 'a', '/new')).toBe('no_policy');
    expect(on.status().documents.map(({ key }) => key)).toEqual(['AccessPolicy shop/b']);
  });

  test('tells which documents have another status, and nothing where nothing is new', async () => {
    const on = start();
    const news: StatusNews[] = [];
    const end = on.onChange((one) => news.push(one));
    await on.applyChange({ changed: [...policy('a', '/a'), ...policy('b', '/b')], removed: [] });
    await on.applyChange({ changed: policy('a', '/a'), removed: [] });
    await on.applyChange({ changed: policy('a', '/a', 2, ', slip: 1'), removed: [] });
    await on.applyChange({ changed: [], removed: policy('b', '/b') });
    end();
    await on.applyChange({ changed: policy('c', '/c'), removed: [] });
    const [a, b] = ['AccessPolicy shop/a', 'AccessPolicy shop/b'];
    expect(news).toEqual([
      { revision: 1, keys: [a, b] },
      { revision: 2, keys: [a] },
      { revision: 3, keys: [b] },
    ]);
    expect(on.documentStatus('AccessPolicy shop/a')).toMatchObject({ serving: 'last-good', servedGeneration: 1 });
  });

  test('is in force whatever a listener throws', async () => {
    const on = start();
    on.onChange(() => {
      throw new Error('no');
    });
    await on.applyChange({ changed: policy('a', '/a'), removed: [] });
    expect(await codeOf(on, 'a', '/a')).toBe('allow');
    expect(log.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  test('of which one document cannot be taken in leaves that as it was, and takes the others in', async () => {
    const on = start();
    await on.applyChange({ changed: [...policy('a', '/a'), ...policy('b', '/b')], removed: [] });
    const poisoned = policy('a', '/new', 2).map((document) => ({
      ...document,
      get value(): never {
        throw new Error('poison');
      },
    }));
    await on.applyChange({ changed: [...poisoned, ...policy('c', '/c')], removed: policy('b', '/b') });
    expect(await codeOf(on, 'a', '/a')).toBe('allow');
    expect(await codeOf(on, 'b', '/b')).toBe('no_policy');
    expect(await codeOf(on, 'c', '/c')).toBe('allow');
    expect(log.filter(({ level }) => level === 'error')).toEqual([
      {
        level: 'error',
        message: 'a change could not be taken in; what was in force stays in force',
        fields: { error: expect.any(String), document: 'AccessPolicy shop/a' },
      },
    ]);
    await on.applyChange({ changed: policy('a', '/new', 2), removed: [] });
    expect(await codeOf(on, 'a', '/new')).toBe('allow');
  });

  test('a refused provider is logged with what it refuses once, not again at each change, and no more than a hundred lines', async () => {
    const on = start();
    const users = Array.from({ length: 150 }, (_, i) =>
      policy(`u${i}`, '/', 1, ', authentication: {providers: [{kind: ClusterIdentityProvider, name: idp}]}'),
    ).flat();
    await on.applyChange({ changed: [...provider('audience: [api]'), ...users], removed: [] });
    const refusals = (): number => log.filter(({ message }) => message === 'a document is refused').length;
    expect(refusals()).toBe(100);
    expect(log).toContainEqual({
      level: 'warn',
      fields: { documents: 51 },
      message: 'and more documents; the status has all',
    });
    const first = log.find(({ message }) => message === 'a document is refused');
    expect(JSON.stringify(first?.fields)).toMatch(
      /"(?:AccessPolicy|ClusterIdentityProvider) [^:"]+: spec\.[^:]+: error: /u,
    );
    await on.applyChange({ changed: policy('a', '/a'), removed: [] });
    expect(refusals()).toBe(100);
    await on.applyChange({ changed: provider('audiences: [api]'), removed: [] });
    expect(on.status().documents.filter(({ accepted }) => !accepted)).toEqual([]);
  });
});

describe('an object that is deleted and made anew under its name, in one change', () => {
  const anew = (documents: readonly AuthorDocument[]): readonly AuthorDocument[] =>
    documents.map((document) => ({ ...document, version: { uid: 'another', generation: 1, createdAt: 2 } }));

  test('S4: has no last good version: where the new one is refused, its requests are denied', async () => {
    const on = start();
    const [old, bad] = [policy('a', '/a'), anew(policy('a', '/a', 1, ', slip: 1'))];
    await on.applyChange({ changed: [...old, ...policy('b', '/b')], removed: [] });
    await on.applyChange({ removed: old, changed: bad });
    expect(await codeOf(on, 'a', '/a')).toBe('policy_invalid');
    expect(on.documentStatus('AccessPolicy shop/a')).toMatchObject({ serving: 'refused', servedGeneration: undefined });
    await on.applyChange({ removed: bad, changed: policy('a', '/new') });
    expect([await codeOf(on, 'a', '/new'), await codeOf(on, 'b', '/b')]).toEqual(['allow', 'allow']);
  });

  test('S4: takes the keys of a ConfigMap with it, where the new one is broken', async () => {
    const on = start();
    const keys =
      '{"keys":[{"kty":"EC","crv":"P-256","x":"ahbTEYaLm1X0QY4-gs8ekJUjV0fkOQTbDOfCKZSyJqs","y":"ZKpHrxCVDxYpE2E6Ybxe5VDnMZYvVGFSiPBjOGhnUZg"}]}';
    const configMap = (data: string): readonly AuthorDocument[] =>
      clusterDocuments(
        `{apiVersion: v1, kind: ConfigMap, metadata: {name: keys, namespace: portcullis}, data: ${data}}`,
      );
    const [old, bad] = [configMap(`{jwks: '${keys}'}`), configMap('[]')];
    await on.applyChange({
      changed: [...provider('audiences: [api], jwks: {configMapRef: {name: keys, key: jwks}}'), ...old],
      removed: [],
    });
    const condition = (): unknown => on.providerCondition('ClusterIdentityProvider idp')?.lastError;
    const error = condition();
    // Broken by an update, it stays as it was, and that is told.
    await on.applyChange({ removed: [], changed: bad });
    expect(condition()).toBe(
      `the ConfigMap portcullis/keys cannot be read, and what it held before stays in force: data must be an object of texts; ${String(error)}`,
    );
    await on.applyChange({ removed: bad, changed: anew(configMap('[]')) });
    expect(condition()).toContain('ConfigMap portcullis/keys');
    expect(condition()).not.toContain('stays in force');
  });
});

describe('what documents depend on', () => {
  const idp = clusterDocuments(
    `{apiVersion: portcullis.dev/v1alpha1, kind: IdentityProvider, metadata: {name: idp, namespace: shop}, spec: {type: JWT, jwt: {issuer: "https://idp.example", audiences: [a], jwks: {configMapRef: {name: keys, key: jwks.json}}}}}`,
  );
  const user = policy('a', '/a', 1, ', authentication: {providers: [{name: idp}]}');
  const configMap = (key: string): readonly AuthorDocument[] =>
    clusterDocuments(
      `{apiVersion: v1, kind: ConfigMap, metadata: {name: keys, namespace: shop}, data: {${key}: '{"keys":[]}'}}`,
    );
  const [provider, policyKey] = ['IdentityProvider shop/idp', 'AccessPolicy shop/a'];

  test('is the ConfigMap of a provider, whole or the one key, and whoever uses the provider is told of it', async () => {
    const on = start();
    const news: StatusNews[] = [];
    on.onChange((one) => news.push(one));
    await on.applyChange({ changed: [...idp, ...user], removed: [] });
    const missing = { kind: 'ConfigMap', namespace: 'shop', name: 'keys', key: 'jwks.json' };
    expect(on.missingMaterials(provider)).toEqual([{ ...missing, isWhole: true }]);
    await on.applyChange({ changed: configMap('other.json'), removed: [] });
    expect(on.missingMaterials(provider)).toEqual([{ ...missing, isWhole: false }]);
    await on.applyChange({ changed: configMap('jwks.json'), removed: [] });
    expect(on.missingMaterials(provider)).toEqual([]);
    expect(news.map(({ keys }) => new Set(keys))).toEqual([1, 2, 3].map(() => new Set([provider, policyKey])));
    // Another key is no matter of theirs.
    await on.applyChange({ changed: policy('b', '/b'), removed: [] });
    expect(news.at(-1)?.keys).toEqual(['AccessPolicy shop/b']);
  });

  test('is the provider of a policy in force, also where it is gone', async () => {
    const on = start();
    await on.applyChange({ changed: [...idp, ...user], removed: [] });
    await on.applyChange({ changed: [], removed: idp });
    expect(on.providersOf(policyKey)).toEqual([provider]);
    expect(on.providerCondition(provider)).toBeUndefined();
    expect([on.providersOf(provider), on.providersOf('AccessPolicy shop/none'), on.missingMaterials(provider)]).toEqual(
      [[], [], []],
    );
  });
});

describe('changes one after the other', () => {
  test('are taken in in slices, in their order, and none is lost', async () => {
    let pauses = 0;
    let now = 0;
    const clock = { now: () => 0, monotonic: () => (now += 1) };
    const pause = (): Promise<void> => {
      pauses += 1;
      return new Promise((resolve) => setImmediate(resolve));
    };
    const on = start({ clock, pause });
    await on.applyChange({ changed: policy('first', '/'), removed: [] });
    pauses = 0;
    const many = Array.from({ length: 50 }, (_, i) => policy(`m${i}`, '/old')).flat();
    const changes = [
      on.applyChange({ changed: many, removed: [] }),
      on.applyChange({ changed: policy('m7', '/new', 2), removed: [] }),
      on.applyChange({ changed: [], removed: policy('m8', '/') }),
    ];
    await new Promise((resolve) => setImmediate(resolve));
    // Nothing of a change is in force before all of it is, and meanwhile requests are decided.
    expect(await codeOf(on, 'm0', '/old')).toBe('no_policy');
    expect(await codeOf(on, 'first', '/')).toBe('allow');
    await Promise.all(changes);
    expect(pauses).toBeGreaterThan(20);
    expect(await codeOf(on, 'm0', '/old')).toBe('allow');
    expect([await codeOf(on, 'm7', '/old'), await codeOf(on, 'm7', '/new')]).toEqual(['no_rule', 'allow']);
    expect(await codeOf(on, 'm8', '/old')).toBe('no_policy');
  });

  test('a later one waits for the keys of a new provider, and no longer than its own patience', async () => {
    const on = start({ http: silentNetwork });
    const user = policy('u', '/', 1, ', authentication: {providers: [{kind: ClusterIdentityProvider, name: idp}]}');
    const first = on.applyChange({ changed: [...provider('audiences: [api]'), ...user], removed: [] });
    const startedAt = performance.now();
    await on.applyChange({ changed: policy('a', '/a'), removed: [] });
    expect(performance.now() - startedAt).toBeLessThan(1500);
    await first;
    expect(await codeOf(on, 'a', '/a')).toBe('allow');
  });
});

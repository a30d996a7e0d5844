import { afterEach, describe, expect, test } from 'vitest';
import type { Timers } from '../../../src/core/ports.ts';
import { createEngine, type Engine, type EnginePorts } from '../../../src/engine/engine.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { clusterDocuments } from '../../support/cluster-document.ts';
import { random } from '../../support/decision-stand.ts';
import { inlinePasswords } from '../../support/inline-passwords.ts';
import { noEvents, silentNetwork } from '../../support/networks.ts';
import { rawRequest } from '../../support/raw-request.ts';

let engine: Engine | undefined;
afterEach(() => engine?.close());

/** No time passes: who waits for the time to be over waits for ever. */
const noTime: Timers = { after: () => () => undefined };

/** An engine before issuers that never answer. */
function start(more: Partial<EnginePorts> = {}): Engine {
  const nothing = (): void => undefined;
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
      clock: { now: () => 0, monotonic: () => 0 },
      timers: noTime,
      random,
      logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      http: silentNetwork,
      passwords: inlinePasswords,
      events: noEvents,
      ...more,
    },
  );
  return engine;
}

const provider = (name: string, spec: string): readonly AuthorDocument[] =>
  clusterDocuments(
    `{apiVersion: portcullis.dev/v1alpha1, kind: IdentityProvider, metadata: {name: ${name}, namespace: shop}, spec: ${spec}}`,
  );
const keys = (name: string): readonly AuthorDocument[] =>
  provider(name, '{type: APIKey, apiKey: {from: [{header: x-api-key}], secretSelector: {matchLabels: {client: "1"}}}}');
/** Its issuer does not answer. */
const slow = (name: string): readonly AuthorDocument[] =>
  provider(name, `{type: JWT, jwt: {issuer: "https://${name}.example", audiences: [api]}}`);
const policy = clusterDocuments(
  '{apiVersion: portcullis.dev/v1alpha1, kind: AccessPolicy, metadata: {name: orders, namespace: shop}, spec: {hosts: [a.example], authentication: {providers: [{name: keys}]}, rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]}}',
);
const keyOf = (name: string, version = 1): string => `k-${name}-${version}-0123456789abcdef`;
/** As the watch of that selector brings it. */
const secret = (name: string, version = 1, reference = 'Secret shop?client=1'): readonly AuthorDocument[] =>
  clusterDocuments(
    `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: shop, labels: {client: "1"}}, stringData: {api-key: ${keyOf(name, version)}}}`,
  ).map((document) => ({ ...document, source: `${reference} ${name}`, reference }));

async function verdict(on: Engine, key: string): Promise<string> {
  const decision = await on.check(rawRequest({ host: 'a.example', headers: [['x-api-key', key]] }));
  return decision.kind === 'allow' ? 'allow' : decision.denial.code;
}

const none: readonly AuthorDocument[] = [];
/** Whether it is done once everything that can go on went on. */
async function isDone(work: Promise<unknown>): Promise<boolean> {
  let done = false;
  void work.then(() => (done = true));
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  return done;
}

describe('a Secret that is gone, or another one', () => {
  const base = [...keys('keys'), ...policy, ...secret('acme')];

  test.each([
    ['is gone', { changed: none, removed: secret('acme') }],
    ['is rotated', { changed: secret('acme', 2), removed: none }],
    ['is gone, in one change with a new provider', { changed: slow('other'), removed: secret('acme') }],
  ])('ends its key before anybody waits for the keys of a new provider: %s', async (_what, change) => {
    const on = start();
    await on.applyChange({ changed: base, removed: none });
    const waiting = [slow('one'), slow('two')].map((changed) => on.applyChange({ changed, removed: none }));
    expect(await isDone(Promise.all(waiting))).toBe(false);
    expect(await verdict(on, keyOf('acme'))).toBe('allow');
    const all = Promise.all([...waiting, on.applyChange(change)]);
    expect(await isDone(all)).toBe(true);
    expect(await verdict(on, keyOf('acme'))).toBe('credential_unknown');
    // Afterwards new providers are waited for again.
    expect(await isDone(on.applyChange({ changed: slow('three'), removed: none }))).toBe(false);
  });

  test('alone is in haste: a new Secret, or a document of ours, waits its turn', async () => {
    const on = start();
    await on.applyChange({ changed: base, removed: none });
    const waiting = on.applyChange({ changed: slow('one'), removed: none });
    void on.applyChange({ changed: secret('globex'), removed: none });
    void on.applyChange({ changed: none, removed: policy });
    expect([await isDone(waiting), await verdict(on, keyOf('globex'))]).toEqual([false, 'credential_unknown']);
    void on.applyChange({ changed: none, removed: secret('acme') });
    expect(await isDone(waiting)).toBe(true);
  });

  test('is not seen by whom another watch serves', async () => {
    const on = start();
    const elsewhere = secret('acme', 1, 'Secret shop?client=1,gold=1');
    await on.applyChange({ changed: [...keys('keys'), ...policy, ...elsewhere], removed: none });
    expect(await verdict(on, keyOf('acme'))).toBe('credential_unknown');
    await on.applyChange({ changed: secret('acme'), removed: none });
    expect(await verdict(on, keyOf('acme'))).toBe('allow');
    await on.applyChange({ changed: none, removed: secret('acme') });
    expect(await verdict(on, keyOf('acme'))).toBe('credential_unknown');
  });

  test('lets requests through between the providers that it concerns', async () => {
    let [now, pauses] = [0, 0];
    const on = start({
      clock: { now: () => 0, monotonic: () => (now += 1) },
      pause: () => {
        pauses += 1;
        return new Promise((resolve) => setImmediate(resolve));
      },
    });
    const many = Array.from({ length: 100 }, (_, index) => keys(`p${index}`)).flat();
    await on.applyChange({ changed: [...base, ...many], removed: none });
    pauses = 0;
    await on.applyChange({ changed: secret('acme', 2), removed: none });
    expect(pauses).toBeGreaterThan(40);
    expect([await verdict(on, keyOf('acme')), await verdict(on, keyOf('acme', 2))]).toEqual([
      'credential_unknown',
      'allow',
    ]);
    // The control: what concerns none of them costs nothing of the kind.
    pauses = 0;
    await on.applyChange({ changed: secret('other', 1, 'Secret shop?nobody=1'), removed: none });
    expect(pauses).toBeLessThan(20);
  });
});

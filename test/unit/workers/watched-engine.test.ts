import { expect, it } from 'vitest';
import { deserialize, serialize } from 'node:v8';
import type { Engine } from '../../../src/engine/engine.ts';
import { loadConfig } from '../../../src/runtime/config/load-config.ts';
import { fromDocumentWire, toDocumentWire } from '../../../src/runtime/workers/document-wire.ts';
import type { Fleet } from '../../../src/runtime/workers/fleet.ts';
import { createPolicyState } from '../../../src/runtime/workers/policy-state.ts';
import type { RevocationRelay } from '../../../src/runtime/workers/revocation-relay.ts';
import { createWatchedEngine } from '../../../src/runtime/workers/watched-engine.ts';
import { parsedBefore } from '../../../src/policy/parsed-elsewhere.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { settle } from '../kubernetes/manual-time.ts';
import { objectOf, policyOf } from './worker-fixtures.ts';

/** An engine that writes down what it is asked for, and a fleet whose revisions the test lets be in force. */
function createStand() {
  const events: string[] = [];
  const pushed: (() => void)[] = [];
  const own = {
    apply: async () => events.push('own reading') > 0,
    applyChange: async () => events.push('own change') > 0,
    hasten: () => {
      events.push('own haste');
      return () => void events.push('own haste ends');
    },
    closeUnrouted: (namespaces: ReadonlySet<string>) => void events.push(`own closed ${[...namespaces].join()}`),
    providerCondition: (key: string) =>
      key === 'known' ? { key, keys: 3, keyAgeSeconds: 1, lastError: undefined } : undefined,
    status: () => ({ ready: true, revision: 4, documents: [], providers: [], problems: [] }),
  } as unknown as Engine;
  const fleet = {
    push: ({ message }) => {
      events.push(`pushed ${message.number}`);
      return new Promise<void>((resolve) => void pushed.push(resolve));
    },
    tell: ({ kind }) => void events.push(`told ${kind}`),
    conditionsOf: (key) => [{ key, keys: 1, keyAgeSeconds: 5, lastError: 'away' }],
    status: () => ({ wanted: 2, serving: 2, sent: 1, inForce: 1 }),
  } as Partial<Fleet> as Fleet;
  const relay = { relay: (control) => control } as Partial<RevocationRelay> as RevocationRelay;
  const engine = createWatchedEngine({ own, fleet, state: createPolicyState(), relay });
  return { engine, events, pushed };
}

it('takes a change in itself only when all workers have it in force, one after the other', async () => {
  const { engine, events, pushed } = createStand();
  void engine.apply({ documents: [policyOf('a')], problems: [], unreadable: new Set() });
  void engine.applyChange({ changed: [objectOf('b')], removed: [] });
  await settle();
  expect(events).toEqual(['pushed 1', 'pushed 2']);
  for (const resolve of pushed) resolve();
  await settle();
  expect(events.slice(2)).toEqual(['own reading', 'own change']);
});

it('closes namespaces at once, and tells workers only what is another than before', async () => {
  const { engine, events } = createStand();
  for (const names of [['a', 'b'], ['b', 'a'], []]) engine.closeUnrouted(new Set(names));
  expect(events).toEqual(['own closed a,b', 'pushed 1', 'own closed b,a', 'own closed ', 'pushed 2']);
});

it('passes on that a change is in haste, and that it is over', () => {
  const { engine, events } = createStand();
  engine.hasten({ changed: [objectOf('a')], removed: [] })();
  expect(events).toEqual(['own haste', 'told hasten', 'told hastened', 'own haste ends']);
});

it('says of a provider the worst that a process says of it, and of workers how many serve', () => {
  const { engine } = createStand();
  expect(engine.providerCondition('known')).toMatchObject({ keys: 1, keyAgeSeconds: 5, lastError: 'away' });
  expect(engine.providerCondition('unknown')).toBeUndefined();
  expect(engine.status()).toMatchObject({ revision: 4, workers: { wanted: 2, serving: 2, sent: 1, inForce: 1 } });
});

it('a configuration comes to a worker as it is', async () => {
  const flags = new Map([
    ['--policies', ['policies']],
    ['--workers', ['2']],
    ['--host-grant', ['shop=*.example.com']],
    ['--redis-url', ['redis://redis.example:6379']],
  ]);
  const resolved = await loadConfig(flags, {});
  const config = resolved.ok ? resolved.config : undefined;
  expect(config?.workers).toBe(2);
  expect(deserialize(serialize(config))).toEqual(config);
});

const settings = { serviceNamespace: 'portcullis' };
const roundTrip = (document: AuthorDocument): AuthorDocument => {
  const wire: unknown = deserialize(serialize(toDocumentWire(document, settings)));
  return fromDocumentWire(wire as ReturnType<typeof toDocumentWire>, settings);
};

it('a document comes to a worker parsed, with what is asked of it', () => {
  const version = { uid: 'u', generation: 7, createdAt: 3 };
  const document = { ...objectOf('a'), version, reference: 'AccessPolicy shop/a' };
  const received = roundTrip(document);
  const { value, source, problems } = document;
  expect({ ...received }).toMatchObject({ source, problems, version, reference: 'AccessPolicy shop/a' });
  expect([received.value, received.placeOf([]), received.placeOf(['metadata', 'name'])]).toEqual([
    value,
    document.placeOf([]),
    document.placeOf(['metadata', 'name']),
  ]);
  expect(parsedBefore(received, settings)).toMatchObject({ kind: 'accepted', key: 'AccessPolicy shop/a' });
});

it('of a Secret nothing stays but what is used of it', () => {
  const [secret] = documentsOf(`
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: shop, annotations: {other: canary-annotation}}
stringData: {api-key: canary-key-of-more-than-sixteen, note: canary-note}
`);
  if (secret === undefined) throw new Error('there is one');
  const received = roundTrip(secret);
  expect(JSON.stringify(received.value) + (received.text ?? '')).not.toContain('canary');
  const parsed = parsedBefore(received, settings);
  const data = parsed?.kind === 'material' ? parsed.material.data : new Map<string, string>();
  expect([...data.keys()]).toEqual(['api-key', 'note']);
  expect(data.get('api-key')).not.toContain('canary');
});

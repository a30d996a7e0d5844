import { afterEach, describe, expect, test } from 'vitest';
import { createMaterials, type PreparedMaterials } from '../../../src/engine/materials.ts';
import {
  createProviderPool,
  type PreparedProviders,
  type ProviderChange,
  type ProviderPool,
} from '../../../src/engine/provider-pool.ts';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import { createRevocations } from '../../../src/phases/identity/revocation/revocations.ts';
import { defaultRevocationSettings } from '../../../src/phases/identity/revocation/revocation-settings.ts';
import { parseDocument } from '../../../src/policy/parse-document.ts';
import type { ApiKeyProviderSpec } from '../../../src/policy/provider-spec.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { runAtOnce, type Steps } from '../../../src/std/steps.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { createWorld } from '../identity/identity-fixtures.ts';

const pools: ProviderPool[] = [];
afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

const specOf = (name: string, client: string): ApiKeyProviderSpec => ({
  kind: 'IdentityProvider',
  type: 'APIKey',
  namespace: 'shop',
  name,
  from: [{ in: 'header', name: 'x-api-key', scheme: undefined }],
  secrets: { namespace: 'shop', labels: [['client', client]] },
});
/** As read for the reference; for everybody where it is undefined. */
function secretOf(name: string, client: string, reference?: string): AuthorDocument {
  const [document] = documentsOf(
    `{apiVersion: v1, kind: Secret, metadata: {name: ${name}, namespace: shop, labels: {client: "${client}"}}, stringData: {a: b}}`,
  );
  if (document === undefined) throw new Error('no document');
  const source = reference === undefined ? document.source : `${reference} ${name}`;
  return { ...document, source, ...(reference === undefined ? {} : { reference }) };
}

interface Stand {
  readonly pool: ProviderPool;
  /** What the providers were made to do, in order: `+a`, `read a: s1 s2`, `in force a`, `-a`. */
  readonly told: string[];
  readonly errors: string[];
  /** What those of these names throw at, from now on. */
  readonly faults: Map<string, 'read' | 'close'>;
  /** Puts these Secrets in the place of the ones before. */
  readonly prepare: (
    specs: readonly ApiKeyProviderSpec[],
    added: readonly AuthorDocument[],
    removed?: readonly AuthorDocument[],
  ) => Steps<{ readonly providers: PreparedProviders; readonly commit: () => void }>;
  readonly take: (...of: Parameters<Stand['prepare']>) => void;
}

function start(): Stand {
  const { ports } = createWorld([]);
  const errors: string[] = [];
  const told: string[] = [];
  const faults: Stand['faults'] = new Map();
  const logger = { ...ports.logger, error: (_fields: object, message: string) => void errors.push(message) };
  const create = (spec: ApiKeyProviderSpec): MessageProvider => {
    const { name } = spec;
    told.push(`+${name}`);
    return {
      layer: 'message',
      spec,
      places: [],
      firstLoad: Promise.resolve(),
      verify: () => Promise.reject(new Error('nobody asks')),
      status: () => ({ keys: 0, keyAgeSeconds: undefined, lastError: undefined }),
      *renew({ secrets }) {
        if (faults.get(name) === 'read') throw new Error('cannot be read');
        yield;
        told.push(`read ${name}: ${secrets.map((secret) => secret.name).join(' ')}`);
        return () => void told.push(`in force ${name}`);
      },
      close: () => {
        told.push(`-${name}`);
        if (faults.get(name) === 'close') throw new Error('cannot be closed');
      },
    };
  };
  const pool = createProviderPool(
    { ...ports, logger },
    createRevocations(defaultRevocationSettings, { ...ports, shared: undefined }),
    (spec) => create(spec as ApiKeyProviderSpec),
  );
  pools.push(pool);
  const materials = createMaterials();
  const known = new Map<AuthorDocument, ReturnType<typeof parseDocument>>();
  const prepare: Stand['prepare'] = function* (specs, added, removed = []) {
    const fresh = new Map(added.map((document) => [document, parseDocument(document, { serviceNamespace: 'p' })]));
    const found: PreparedMaterials = yield* materials.prepare({ removed, fresh, known }, new Set());
    const change: ProviderChange = {
      specs: new Map(specs.map((spec) => [spec.name, spec])),
      changedMaterials: found.changes,
      findMaterial: found.find,
    };
    const providers = yield* pool.prepare(change);
    const commit = (): void => {
      found.commit();
      for (const [document, parsed] of fresh) known.set(document, parsed);
      providers.commit();
    };
    return { providers, commit };
  };
  return { pool, told, errors, faults, prepare, take: (...of) => runAtOnce(prepare(...of)).commit() };
}

describe('a Secret that changes', () => {
  test('is read by those that select it, and nobody else is asked', () => {
    const { take, told } = start();
    const [old, other] = [secretOf('s', 'a'), secretOf('t', 'b')];
    take([specOf('one', 'a'), specOf('two', 'a'), specOf('three', 'b')], [old, other]);
    told.length = 0;
    take([], [secretOf('s', 'a')], [old]);
    expect(told).toEqual(['read one: s', 'read two: s', 'in force one', 'in force two']);
  });

  test('of another label is news to those that selected it and to those that do now', () => {
    const { take, told } = start();
    const old = secretOf('s', 'a');
    take([specOf('one', 'a'), specOf('two', 'b'), specOf('three', 'c')], [old]);
    told.length = 0;
    take([], [secretOf('s', 'b')], [old]);
    expect(told).toEqual(['read one: ', 'read two: s', 'in force one', 'in force two']);
  });

  test('is seen by nobody who refers otherwise than the watch that it came from', () => {
    const { take, told } = start();
    const reference = 'Secret shop?client=a';
    const [seen, unseen] = [secretOf('s', 'a', reference), secretOf('t', 'a', 'Secret shop/t')];
    take([specOf('one', 'a'), specOf('two', 'b')], [seen, unseen]);
    expect(told).toEqual(['+one', 'read one: s', 'in force one', '+two']);
    told.length = 0;
    take([], [], [unseen]);
    expect(told).toEqual([]);
    take([], [], [seen]);
    expect(told).toEqual(['read one: ', 'in force one']);
  });

  test('is nobody’s whose watch gives what has not the labels', () => {
    const { take, told } = start();
    take([specOf('one', 'a')], [secretOf('s', 'b', 'Secret shop?client=a')]);
    expect(told).toEqual(['+one']);
  });

  test('concerns a provider no more whose document refers elsewhere, or is gone', () => {
    const { pool, take, told } = start();
    const old = secretOf('s', 'a');
    take([specOf('one', 'a'), specOf('two', 'a')], [old]);
    take([specOf('one', 'b')], []);
    runAtOnce(
      pool.prepare({
        specs: new Map([['two', undefined]]),
        changedMaterials: [],
        findMaterial: { get: () => undefined, select: () => [] },
      }),
    ).commit();
    told.length = 0;
    take([], [secretOf('s', 'a')], [old]);
    expect(told).toEqual([]);
  });

  test('is selected once for all that select alike, and each of these is a step of its own', () => {
    const { pool, take } = start();
    const old = secretOf('s', 'a');
    const names = Array.from({ length: 50 }, (_, index) => `p${index}`);
    take(
      names.map((name) => specOf(name, 'a')),
      [old],
    );
    const fresh = new Map([[old, parseDocument(old, { serviceNamespace: 'p' })]]);
    const { find, changes } = runAtOnce(createMaterials().prepare({ removed: [], fresh, known: new Map() }, new Set()));
    const selections: unknown[] = [];
    const select: typeof find.select = (selector) => {
      const selected = find.select(selector);
      selections.push(selected);
      return selected;
    };
    const steps = pool.prepare({
      specs: new Map(),
      changedMaterials: changes,
      findMaterial: { ...find, select },
    });
    let count = 0;
    while (steps.next().done !== true) count += 1;
    expect([selections.length, new Set(selections).size, count >= 50]).toEqual([50, 1, true]);
  });
});

describe('a change on which something fails', () => {
  test('because a provider cannot read its Secrets takes from it what it had, and is in force for the others', () => {
    const { pool, take, told, errors, faults } = start();
    const old = secretOf('s', 'a');
    take([specOf('one', 'a'), specOf('two', 'a'), specOf('three', 'a')], [old]);
    told.length = 0;
    faults.set('two', 'read');
    take([], [], [old]);
    expect([told, errors]).toEqual([
      ['read one: ', '+two', 'read three: ', 'in force one', 'in force three', '-two'],
      ['the Secrets and ConfigMaps of a provider cannot be read: it does without'],
    ]);
    expect([...pool.running.keys()]).toEqual(['one', 'two', 'three']);
    // The next change finds it again.
    faults.clear();
    told.length = 0;
    take([], [secretOf('s', 'a')]);
    expect(told).toEqual([
      'read one: s',
      'read two: s',
      'read three: s',
      'in force one',
      'in force two',
      'in force three',
    ]);
  });

  test('before it is in force leaves nothing behind, of none of its providers', () => {
    const { pool, take, prepare, told, faults } = start();
    const old = secretOf('s', 'a');
    take([specOf('one', 'a')], [old]);
    told.length = 0;
    faults.set('three', 'read');
    const change = [[specOf('two', 'a'), specOf('three', 'a')], [secretOf('s', 'a')], [old]] as const;
    expect(() => runAtOnce(prepare(...change))).toThrow('cannot be read');
    expect([told, [...pool.running.keys()]]).toEqual([
      ['+two', 'read two: s', 'in force two', '+three', '-three', '-two'],
      ['one'],
    ]);
    // The control: without the fault the same change is taken in.
    faults.clear();
    told.length = 0;
    take(...change);
    expect([told.at(-1), [...pool.running.keys()]]).toEqual(['in force one', ['one', 'two', 'three']]);
  });

  test('a new provider that cannot read its Secrets is ended', () => {
    const { pool, prepare, told, faults } = start();
    faults.set('one', 'read');
    expect(() => runAtOnce(prepare([specOf('one', 'a')], [secretOf('s', 'a')]))).toThrow('cannot be read');
    expect([told, pool.running.size]).toEqual([['+one', '-one'], 0]);
  });

  test('while it is put in force is in force for everybody else', () => {
    const { pool, take, told, errors, faults } = start();
    const old = secretOf('s', 'b');
    take([specOf('one', 'a'), specOf('two', 'a'), specOf('three', 'b')], [old]);
    told.length = 0;
    faults.set('one', 'close');
    take([specOf('one', 'c'), specOf('two', 'c')], [secretOf('s', 'b')], [old]);
    expect([told, errors, pool.running.get('one')?.provider.spec]).toEqual([
      ['+one', '+two', 'read three: s', 'in force three', '-one', '-two'],
      ['a provider could not be renewed or ended'],
      specOf('one', 'c'),
    ]);
    faults.clear();
  });
});

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { ApiRequest, KubernetesApi } from '../../../src/kubernetes/kubernetes-api.ts';
import { createMaterialFollower, type MaterialFollower } from '../../../src/kubernetes/material-follower.ts';
import { maxMaterialCharacters } from '../../../src/kubernetes/material-room.ts';
import { parseOnce } from '../../../src/policy/parsed-elsewhere.ts';
import { materialKey, type AuthorDocument, type MaterialRef, type NamedMaterialRef } from '../../../src/policy/spec.ts';
import { createFakeApi, eventOf, objectOf, type FakeApi } from './fake-api.ts';
import { createManualTime, settle } from './manual-time.ts';

const mapOf = (name: string, ...keys: readonly string[]): NamedMaterialRef => ({
  kind: 'ConfigMap',
  namespace: 'shop',
  name,
  keys,
});
const ofSize = (fraction: number): JsonObject => ({
  data: { k: 'x'.repeat(Math.floor(maxMaterialCharacters * fraction)) },
});

interface Stand {
  readonly follower: MaterialFollower;
  /** What the server has by that name. */
  readonly at: (name: string) => FakeApi;
  /** The keys of each that was told as there, by name. */
  readonly there: () => Readonly<Record<string, string>>;
  readonly told: string[];
  readonly warnings: string[];
  /** These, the oldest reference first, and no others. */
  readonly follow: (...refs: readonly MaterialRef[]) => Promise<void>;
}

function start(): Stand {
  const apis = new Map<string, FakeApi>();
  const at = (name: string): FakeApi => {
    const known = apis.get(name) ?? createFakeApi();
    apis.set(name, known);
    return known;
  };
  const apiOf = (query: Readonly<Record<string, string>> = {}): FakeApi =>
    at((query['fieldSelector'] ?? '').replace('metadata.name=', ''));
  const api: KubernetesApi = {
    request: (request) => apiOf(request.query).request(request),
    watch: (request) => apiOf(request.query).watch(request),
    close: async () => undefined,
  };
  const silent = (): void => undefined;
  const told: string[] = [];
  const warnings: string[] = [];
  const there = new Map<string, AuthorDocument>();
  const follower = createMaterialFollower({
    ports: {
      api,
      ...createManualTime(),
      random: { id: () => 'id', fraction: () => 0 },
      logger: { debug: silent, info: silent, error: silent, warn: (_fields, message) => void warnings.push(message) },
    },
    timing: {},
    onChange: ({ removed, changed }) => {
      for (const { source } of removed) there.delete(nameOf(source));
      for (const document of changed) there.set(nameOf(document.source), document);
      told.push(
        ...removed.map(({ source }) => `-${nameOf(source)}`),
        ...changed.map(({ source }) => `+${nameOf(source)}`),
      );
    },
    onAnswered: silent,
  });
  return {
    follower,
    at,
    told,
    warnings,
    there: () => Object.fromEntries([...there].map(([name, document]) => [name, keysOf(document)])),
    follow: async (...refs) => {
      const referred = {
        refs: new Map(refs.map((ref) => [materialKey(ref), ref])),
        orders: new Map([['ConfigMap shop', refs.map(materialKey)]]),
      };
      follower.keepOnly(referred);
      await follower.follow(referred);
      await settle();
    },
  };
}

function nameOf(source: string): string {
  return source.split('/').at(-1) ?? '';
}

function keysOf(document: AuthorDocument): string {
  const parsed = parseOnce(document, { serviceNamespace: 'p' });
  return parsed.kind === 'material' ? [...parsed.material.data.keys()].join(' ') : '';
}

describe('a ConfigMap of which other keys are asked for', () => {
  it('is read again, and what was there stays until it is', async () => {
    const { at, follow, there, told, follower } = start();
    at('m').put('m', 1, { data: { one: '1', two: '2' } });
    await follow(mapOf('m', 'one'));
    expect(there()).toEqual({ m: 'one' });
    const answered = follow(mapOf('m', 'one', 'two'));
    expect([there(), follower.state('ConfigMap shop/m')?.isSynced, [...follower.pending]]).toEqual([
      { m: 'one' },
      false,
      ['ConfigMap shop/m'],
    ]);
    await answered;
    expect([there(), told, at('m').lists.length]).toEqual([{ m: 'one two' }, ['+m', '+m'], 2]);
    await follow(mapOf('m', 'one', 'two'));
    expect(at('m').lists.length).toBe(2);
    await follow(mapOf('m', 'two'));
    expect([there(), at('m').watches.map(({ signal }) => signal.aborted)]).toEqual([{ m: 'two' }, [true, true, false]]);
  });

  it.each([
    ['deleted', undefined, ['+m', '-m'], {}],
    ['made anew', 'another', ['+m', '-m', '+m'], { m: 'one two' }],
  ])('and that was %s meanwhile is told so', async (_what, uid, expected, left) => {
    const { at, follow, there, told } = start();
    at('m').put('m', 1, { data: { one: '1', two: '2' } });
    await follow(mapOf('m', 'one'));
    if (uid === undefined) at('m').remove('m');
    else at('m').put('m', 2, { uid, data: { one: '1', two: '2' } });
    await follow(mapOf('m', 'one', 'two'));
    expect([told, there()]).toEqual([expected, left]);
  });
});

describe('what is kept of one namespace', () => {
  const three = [mapOf('a', 'k'), mapOf('b', 'k'), mapOf('c', 'k')] as const;
  const begin = async (...sizes: readonly number[]): Promise<Stand> => {
    const stand = start();
    for (const [index, { name }] of three.entries()) stand.at(name).put(name, 1, ofSize(sizes[index] ?? 0));
    await stand.follow(...three);
    return stand;
  };
  const change = async ({ at }: Stand, name: string, version: number, extra: JsonObject): Promise<void> => {
    const object = at(name).put(name, version, extra);
    (await at(name).nextWatch()).push(eventOf('MODIFIED', { apiVersion: 'v1', kind: 'ConfigMap', ...object }));
    await settle();
  };
  const withoutRoom = ({ follower }: Stand): readonly string[] =>
    three.map(materialKey).filter((key) => follower.isWithoutRoom(key));

  it('is all of it while there is room', async () => {
    const stand = await begin(0.4, 0.4, 0.1);
    expect([stand.there(), withoutRoom(stand), stand.warnings]).toEqual([{ a: 'k', b: 'k', c: 'k' }, [], []]);
  });

  it('is that of the oldest references, and of younger ones what finds room beside', async () => {
    const stand = await begin(0.6, 0.6, 0.3);
    expect([stand.there(), withoutRoom(stand), stand.warnings.length]).toEqual([
      { a: 'k', c: 'k' },
      ['ConfigMap shop/b'],
      1,
    ]);
    // Nothing of what nobody asks for counts.
    await change(stand, 'b', 2, { data: { k: 'x', other: 'x'.repeat(maxMaterialCharacters) } });
    expect([stand.there(), withoutRoom(stand)]).toEqual([{ a: 'k', b: 'k', c: 'k' }, []]);
  });

  it('is given up by a younger reference for an older one, and read again when there is room', async () => {
    const stand = await begin(0.1, 0.6, 0.1);
    await change(stand, 'a', 2, ofSize(0.6));
    expect([stand.there(), withoutRoom(stand)]).toEqual([{ a: 'k', c: 'k' }, ['ConfigMap shop/b']]);
    expect(stand.at('b').lists.length).toBe(1);
    await change(stand, 'a', 3, ofSize(0.2));
    expect([stand.there(), withoutRoom(stand), stand.at('b').lists.length]).toEqual([
      { a: 'k', b: 'k', c: 'k' },
      [],
      2,
    ]);
  });

  it('is judged anew where references have another order, or one is gone', async () => {
    const stand = await begin(0.6, 0.6, 0.1);
    await stand.follow(three[1], three[0], three[2]);
    expect(stand.there()).toEqual({ b: 'k', c: 'k' });
    await stand.follow(three[0], three[2]);
    expect([stand.there(), stand.follower.isWithoutRoom('ConfigMap shop/a')]).toEqual([{ a: 'k', c: 'k' }, false]);
  });

  it('is nothing of one that is deleted, whether there was room for it or not', async () => {
    const stand = await begin(0.6, 0.6, 0.1);
    for (const name of ['b', 'a']) {
      (await stand.at(name).nextWatch()).push(eventOf('DELETED', objectOf(name, 5)));
      await settle();
    }
    expect([stand.there(), withoutRoom(stand)]).toEqual([{ c: 'k' }, []]);
  });

  it('is read a few at once, so that not all of it is in memory before it is weighed', async () => {
    const stand = start();
    const names = Array.from({ length: 9 }, (_, index) => `m${index}`);
    let [asked, most] = [0, 0];
    for (const name of names) {
      const own = stand.at(name);
      const answer = own.request.bind(own);
      Object.assign(own, {
        request: async (one: ApiRequest) => {
          most = Math.max(most, (asked += 1));
          await settle();
          asked -= 1;
          return answer(one);
        },
      });
    }
    await stand.follow(...names.map((name) => mapOf(name, 'k')));
    expect([most, asked, names.every((name) => stand.at(name).lists.length === 1)]).toEqual([4, 0, true]);
  });
});

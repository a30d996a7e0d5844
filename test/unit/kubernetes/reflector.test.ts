import { afterEach, describe, expect, it } from 'vitest';
import { ApiFailure } from '../../../src/kubernetes/api-failure.ts';
import { policyCollection } from '../../../src/kubernetes/collection.ts';
import { createReflector, type Reflector, type ReflectorTiming } from '../../../src/kubernetes/reflector.ts';
import { createFakeApi, eventOf, objectOf, type FakeApi } from './fake-api.ts';
import { createManualTime, settle, type ManualTime } from './manual-time.ts';

interface Stand {
  readonly api: FakeApi;
  readonly time: ManualTime;
  readonly told: string[];
  readonly logged: { level: string; message: string; error: unknown }[];
  readonly reflector: Reflector;
}

const open: Reflector[] = [];
afterEach(() => {
  for (const reflector of open.splice(0)) reflector.close();
});

function start(
  prepare: (api: FakeApi) => void = () => undefined,
  options: { timing?: Partial<ReflectorTiming>; onTold?: (text: string) => void } = {},
): Stand {
  const api = createFakeApi();
  prepare(api);
  const time = createManualTime();
  const told: string[] = [];
  const logged: Stand['logged'] = [];
  const log = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void logged.push({ level, message, error: fields['error'] });
  const reflector = createReflector({
    collection: policyCollection('AccessPolicy', undefined, ''),
    convert: (_object, { name, resourceVersion }) => `${name}@${resourceVersion}`,
    onChange: ({ removed, changed }) => {
      const text = [...removed.map((item) => `-${item}`), ...changed.map((item) => `+${item}`)].join(' ');
      options.onTold?.(text);
      told.push(text);
    },
    ports: {
      api,
      ...time,
      random: { id: () => 'id', fraction: () => 0 },
      logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    },
    ...(options.timing === undefined ? {} : { timing: options.timing }),
  });
  open.push(reflector);
  return { api, time, told, logged, reflector };
}

describe('a reflector', () => {
  it('lists page by page and watches from where the list ended, with bookmarks', async () => {
    const { api, told, reflector } = start((fake) => {
      for (let index = 1; index <= 600; index++) fake.put(`p${index}`, index);
    });
    await reflector.synced;
    const watch = await api.nextWatch();
    expect(api.lists).toEqual([
      { limit: '100' },
      ...[100, 200, 300, 400, 500].map((from) => ({ limit: '100', continue: `${from}` })),
    ]);
    expect(watch.query).toEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '600',
      timeoutSeconds: '240',
    });
    expect(told.map((text) => text.split(' ').length)).toEqual([600]);
  });

  it('tells an empty collection too, so that whoever waits goes on', async () => {
    const { told, reflector } = start();
    await reflector.synced;
    expect(told).toEqual(['']);
  });

  it('tells what is added, changed and deleted, and nothing twice', async () => {
    const { api, told } = start((fake) => void fake.put('a', 1));
    const watch = await api.nextWatch();
    watch.push(eventOf('ADDED', objectOf('b', 2)), eventOf('MODIFIED', objectOf('a', 3)));
    watch.push(eventOf('MODIFIED', objectOf('a', 3)), eventOf('BOOKMARK', { metadata: { resourceVersion: '9' } }));
    watch.push(eventOf('DELETED', objectOf('a', 10)));
    await settle();
    expect(told).toEqual(['+a@1', '+b@2 +a@3', '-a@3']);
  });

  it('takes up a watch that ended where it ended, bookmarks counted, without a list', async () => {
    const { api, time } = start((fake) => void fake.put('a', 1));
    const first = await api.nextWatch();
    first.push(eventOf('BOOKMARK', { metadata: { resourceVersion: '77' } }));
    await settle();
    first.end();
    await time.advance(400);
    expect((await api.nextWatch(1)).query['resourceVersion']).toBe('77');
    expect(api.lists).toHaveLength(1);
  });

  it('does not ask at once and for ever a server that ends every watch at once', async () => {
    const { api, time } = start();
    const endWatches = async (): Promise<void> => {
      for (let step = 0; step < 100; step++) {
        api.watches.at(-1)?.end();
        await time.advance(100);
      }
    };
    await endWatches();
    expect(api.watches.length).toBeGreaterThan(3);
    expect(api.watches.length).toBeLessThan(9);
  });

  it('takes up a watch that was cut where it was, and says so once', async () => {
    const { api, time, logged } = start((fake) => void fake.put('a', 5));
    (await api.nextWatch()).cut(new ApiFailure('api_unreachable', 'GET: connection reset'));
    await time.advance(300);
    expect((await api.nextWatch(1)).query['resourceVersion']).toBe('5');
    expect(api.lists).toHaveLength(1);
    expect(logged).toEqual([
      {
        level: 'warn',
        message: 'the API server cannot be followed; what is in force stays in force',
        error: 'GET: connection reset',
      },
      { level: 'info', message: 'the API server is followed again', error: undefined },
    ]);
  });

  it('lists again after 410, and sees what was deleted while it looked away', async () => {
    const { api, time, told } = start((fake) => {
      fake.put('a', 1);
      fake.put('b', 2);
    });
    const watch = await api.nextWatch();
    api.remove('a');
    api.put('c', 9);
    watch.push(eventOf('ERROR', { kind: 'Status', code: 410, message: 'too old resource version' }));
    await time.advance(300);
    expect((await api.nextWatch(1)).query['resourceVersion']).toBe('9');
    expect(told).toEqual(['+a@1 +b@2', '-a@1 +c@9']);
  });

  it('lists again where opening the watch answers 410', async () => {
    const { api, time } = start((fake) => fake.failWatches(new ApiFailure('api_gone', '410')));
    await time.advance(300);
    await api.nextWatch();
    expect(api.lists).toHaveLength(2);
  });

  it('tells an object that was made anew under its name as removed and added', async () => {
    const { api, told } = start((fake) => void fake.put('a', 1));
    const watch = await api.nextWatch();
    watch.push(eventOf('DELETED', objectOf('a', 2)), eventOf('ADDED', objectOf('a', 3, { uid: 'other' })));
    await settle();
    expect(told).toEqual(['+a@1', '-a@1 +a@3']);
  });

  it('does not tell what came and went within one batch', async () => {
    const { api, told } = start();
    const watch = await api.nextWatch();
    watch.push(eventOf('ADDED', objectOf('a', 2)), eventOf('DELETED', objectOf('a', 3)));
    await settle();
    expect(told).toEqual(['']);
  });

  it('replaces a watch that is silent, and keeps one that is not', async () => {
    const { api, time, logged } = start(undefined, { timing: { silenceMs: 1000, watchMs: 100_000 } });
    const watch = await api.nextWatch();
    for (let step = 0; step < 5; step++) {
      await time.advance(900);
      watch.push(eventOf('BOOKMARK', { metadata: { resourceVersion: `${step + 2}` } }));
      await settle();
    }
    expect(api.watches).toHaveLength(1);
    await time.advance(1500);
    expect(watch.signal.aborted).toBe(true);
    expect(api.watches).toHaveLength(2);
    expect(logged.map(({ level, message }) => [level, message])).toEqual([
      ['debug', 'a watch of the API server is begun anew'],
    ]);
  });

  it('lists a small collection whose watch is silent, because nothing else tells that it is up to date, and says nothing of it', async () => {
    const { api, time, logged, reflector, told } = start((fake) => void fake.put('a', 7));
    await time.advance(305_000);
    expect([api.lists.length, api.watches.length]).toEqual([4, 4]);
    expect(reflector.state()).toMatchObject({ failure: undefined, confirmedAt: time.clock.now() - 5000 });
    expect(new Set(logged.map(({ level }) => level))).toEqual(new Set(['debug']));
    expect(told).toEqual(['+a@7']);
  });

  it('takes up the silent watch of a large collection where it was, without a list', async () => {
    const { api, time } = start((fake) => {
      for (let index = 1; index <= 201; index++) fake.put(`p${index}`, index);
    });
    await time.advance(105_000);
    expect(api.lists).toHaveLength(3);
    expect(api.watches.map(({ query }) => query['resourceVersion'])).toEqual(['201', '201']);
  });

  it('lists again now and then in the midst of a watch, and finds what the watch lost', async () => {
    const { api, time, told } = start((fake) => void fake.put('a', 1), { timing: { relistMs: 5000 } });
    await api.nextWatch();
    api.put('lost', 2);
    await time.advance(5100);
    await api.nextWatch(1);
    expect(told).toEqual(['+a@1', '+lost@2']);
  });

  it('is not synced before a list succeeds, tries with growing pauses, and names the remedy', async () => {
    const missing = new ApiFailure('api_not_found', 'GET /apis: 404 page not found');
    const { api, time, logged, reflector } = start((fake) => fake.failLists(missing, missing, missing, missing));
    await time.advance(100);
    expect(reflector.state()).toMatchObject({ isSynced: false, confirmedAt: undefined });
    expect(reflector.state().failure).toContain(
      'the CRD of accesspolicies.portcullis.dev is not installed: it comes with the release that has crds.enabled, and where none has, apply deploy/crds.yaml',
    );
    await time.advance(60 + 250);
    expect(api.lists).toHaveLength(3);
    await time.advance(5000);
    await reflector.synced;
    expect(reflector.state()).toMatchObject({ isSynced: true, failure: undefined });
    expect(logged.map(({ level }) => level)).toEqual(['warn', 'info']);
  });

  it('says once that it may not watch, though it may list each time', async () => {
    const forbidden = Array.from({ length: 20 }, () => new ApiFailure('api_forbidden', 'GET: 403 cannot watch'));
    const { api, time, logged, reflector } = start((fake) => fake.failWatches(...forbidden));
    await time.advance(60_000);
    expect(api.lists.length).toBeGreaterThan(5);
    expect(logged.map(({ level }) => level)).toEqual(['warn']);
    expect(reflector.state().failure).toContain('cannot watch');
    await time.advance(60_000);
    expect(logged.map(({ level }) => level)).toEqual(['warn', 'info']);
    expect(reflector.state().failure).toBeUndefined();
  });

  it('waits as long as the server asks', async () => {
    const { api, time } = start((fake) =>
      fake.failLists(new ApiFailure('api_throttled', '429', { retryAfterMs: 7000 })),
    );
    await time.advance(6900);
    expect(api.lists).toHaveLength(1);
    await time.advance(200);
    expect(api.lists).toHaveLength(2);
  });

  it('names the missing verb of RBAC in its remedy', async () => {
    const { time, reflector } = start((fake) =>
      fake.failLists(new ApiFailure('api_forbidden', 'GET: 403 cannot list')),
    );
    await time.advance(10);
    expect(reflector.state().failure).toBe(
      'the service account needs get, list and watch on accesspolicies.portcullis.dev by a ClusterRole; the chart grants it with rbac.create; where nobody may grant it for all namespaces, name some in watchNamespaces; with rbac.create off write the role yourself (docs/kubernetes.md) (GET: 403 cannot list)',
    );
  });

  it('tells a difference again that its listener could not take', async () => {
    let isBroken = true;
    const { api, time, told } = start((fake) => void fake.put('a', 1), {
      onTold: (text) => {
        if (isBroken && text !== '+a@1') throw new Error('the listener is broken');
      },
    });
    const watch = await api.nextWatch();
    const changed = api.put('b', 2);
    watch.push(eventOf('ADDED', changed));
    await time.advance(100);
    isBroken = false;
    await time.advance(1000);
    expect(told).toEqual(['+a@1', '+b@2']);
  });

  it('survives objects without a name and goes on with the others', async () => {
    const { api, time, told } = start((fake) => void fake.put('a', 1));
    const watch = await api.nextWatch();
    watch.push(eventOf('ADDED', { metadata: {} }));
    await settle();
    api.put('b', 2);
    await time.advance(1000);
    expect(told).toEqual(['+a@1', '+b@2']);
  });

  it('begins a list anew that became too old between two pages', async () => {
    const { api, reflector, told } = start((fake) => {
      for (let index = 1; index <= 300; index++) fake.put(`p${index}`, index);
      const request = fake.request.bind(fake);
      let calls = 0;
      Object.assign(fake, {
        request: (asked: Parameters<typeof request>[0]) =>
          ++calls === 2 ? Promise.reject(new ApiFailure('api_gone', '410')) : request(asked),
      });
    });
    await reflector.synced;
    expect(api.lists.map((query) => query['continue'])).toEqual([undefined, undefined, '100', '200']);
    expect(told.map((text) => text.split(' ').length)).toEqual([300]);
  });

  it('asks for smaller pages where they are too large', async () => {
    const { api, reflector } = start((fake) => fake.failLists(new ApiFailure('api_too_large', 'too large')));
    await reflector.synced;
    expect(api.lists.map((query) => query['limit'])).toEqual(['100', '50']);
  });

  it('stops when it is closed', async () => {
    const { api, time, reflector, told } = start();
    const watch = await api.nextWatch();
    reflector.close();
    watch.push(eventOf('ADDED', objectOf('a', 2)));
    await time.advance(100_000);
    expect({ watches: api.watches.length, lists: api.lists.length, aborted: watch.signal.aborted }).toEqual({
      watches: 1,
      lists: 1,
      aborted: true,
    });
    expect(told).toEqual(['']);
  });
});

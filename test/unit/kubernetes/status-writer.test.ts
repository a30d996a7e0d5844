import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { DocumentStatus } from '../../../src/core/status.ts';
import { ApiFailure } from '../../../src/kubernetes/api-failure.ts';
import { memberObject, readMeta } from '../../../src/kubernetes/api-object.ts';
import { toClusterDocument, type ClusterDocument } from '../../../src/kubernetes/cluster-document.ts';
import { createEventRecorder } from '../../../src/kubernetes/event-recorder.ts';
import type { ApiRequest } from '../../../src/kubernetes/kubernetes-api.ts';
import { createStatusWriter, type StatusWriter } from '../../../src/kubernetes/status-writer.ts';
import { createManualTime, type ManualTime } from './manual-time.ts';

interface Stand {
  readonly writer: StatusWriter;
  readonly time: ManualTime;
  readonly writes: JsonObject[];
  readonly events: JsonObject[];
  readonly warnings: string[];
  failure: Error | undefined;
  /** That the engine has. */
  generation: number;
}

function start({ isShadowAll = false } = {}): Stand {
  const time = createManualTime();
  const silent = (): void => undefined;
  const stand: Stand = {
    writer: undefined as never,
    time,
    writes: [],
    events: [],
    warnings: [],
    failure: undefined,
    generation: 1,
  };
  let ids = 0;
  const ports = {
    ...time,
    api: {
      request: async ({ method, path, body }: ApiRequest) => {
        const sent = { path, ...(body as JsonObject) };
        if (method === 'POST') stand.events.push(sent);
        else stand.writes.push(sent);
        if (stand.failure !== undefined) throw stand.failure;
        return sent;
      },
      watch: () => Promise.reject(new Error('no watch')),
      close: async () => undefined,
    },
    random: { id: () => `id-${ids++}`, fraction: () => 0 },
    logger: {
      debug: silent,
      info: silent,
      warn: (_fields: object, message: string) => void stand.warnings.push(message),
      error: silent,
    },
  };
  const documentStatus = (key: string): DocumentStatus => ({
    key,
    kind: 'AccessPolicy',
    namespace: 'shop',
    name: key,
    accepted: true,
    serving: 'current',
    problems: [],
    version: { uid: `uid-${key}`, generation: stand.generation, createdAt: 0 },
    servedGeneration: 1,
    conflicts: [],
    targets: [],
    isUnrouted: false,
  });
  const writer = createStatusWriter({
    facts: {
      documentStatus,
      providerCondition: () => undefined,
      missingMaterials: () => [],
      providersOf: () => [],
      agreements: () => ({ agreeing: 1, pending: 0, disagreeing: 0 }),
      isShadowAll,
      readingOf: () => ({ isRead: true, failure: undefined }),
      unreadableOf: () => undefined,
    },
    events: createEventRecorder(ports, 'portcullis-0'),
    ports,
    leads: () => true,
  });
  return Object.assign(stand, { writer });
}

function objectOf(name: string, status: JsonObject = {}, generation = 1): ClusterDocument {
  const metadata = { namespace: 'shop', name, uid: `uid-${name}`, resourceVersion: '1', generation };
  const object = { metadata, spec: { hosts: ['a.example'], rules: [{}] }, status };
  return toClusterDocument(object, readMeta(object), 'AccessPolicy');
}

describe('the writer of status', () => {
  it('writes once, and not again where the watch brings what it wrote', async () => {
    const { writer, time, writes } = start();
    writer.note('orders', objectOf('orders'));
    await time.advance(1000);
    writer.note('orders', objectOf('orders', memberObject(writes[0] ?? {}, 'status')));
    await time.advance(1000);
    expect(writes).toHaveLength(1);
  });

  it('names the version that it judged, so that nothing old is written over what another leader said since', async () => {
    const stand = start();
    const { writer, time, writes, events } = stand;
    writer.note('orders', objectOf('orders'));
    await time.advance(10);
    expect(writes.map((write) => memberObject(write, 'metadata'))).toEqual([
      { namespace: 'shop', name: 'orders', uid: 'uid-orders', resourceVersion: '1' },
    ]);
    const told = events.length;
    stand.failure = new ApiFailure('api_conflict', '409 the object has been modified');
    writer.note('orders', objectOf('orders'));
    await time.advance(600_000);
    // Not again until the watch brings what is there, and no Event of what was not written.
    expect([writes.length, events.length, stand.warnings]).toEqual([2, told, []]);
    stand.failure = undefined;
    writer.note('orders', objectOf('orders'));
    await time.advance(10);
    expect(writes).toHaveLength(3);
  });

  it.each([
    [false, 'Programmed'],
    [true, 'Shadow'],
  ])('says whether policies change answers (shadow-all: %s)', async (isShadowAll, reason) => {
    const { writer, time, writes } = start({ isShadowAll });
    writer.note('orders', objectOf('orders'));
    await time.advance(1000);
    expect(memberObject(writes[0] ?? {}, 'status')['conditions']).toContainEqual(
      expect.objectContaining({ type: 'Programmed', status: 'True', reason }),
    );
  });

  it('is not drawn into a race with somebody who writes something else each time, and goes on at leisure', async () => {
    const { writer, time, writes, warnings } = start();
    const contradict = async (times: number): Promise<void> => {
      for (let turn = 0; turn < times; turn++) {
        writer.note('orders', objectOf('orders', { replicas: '3/3' }));
        await time.advance(10);
      }
    };
    await contradict(500);
    expect(writes).toHaveLength(20);
    expect(warnings).toEqual([
      'the status of an object changes again and again: does another installation write it too?',
    ]);
    await time.advance(60_000);
    // The last word is ours.
    expect(writes).toHaveLength(21);
    writer.note('other', objectOf('other'));
    await time.advance(10);
    expect(writes).toHaveLength(22);
  });

  it('rests with all of them while the API server is away, and writes all of them when it is back', async () => {
    const stand = start();
    const { writer, time, writes } = stand;
    stand.failure = new ApiFailure('api_unreachable', 'connection refused');
    for (let index = 0; index < 1000; index++) writer.note(`p${index}`, objectOf(`p${index}`));
    await time.advance(60_000);
    expect(writes.length).toBeLessThan(120);
    stand.failure = undefined;
    writes.length = 0;
    await time.advance(300_000);
    expect(new Set(writes.map(({ path }) => path)).size).toBe(1000);
  });

  it('tries less and less often what is refused, however often it is to look, and at once what is another version', async () => {
    const stand = start();
    const { writer, time, writes } = stand;
    stand.failure = new ApiFailure('api_forbidden', '403');
    writer.note('orders', objectOf('orders'));
    const perHour: number[] = [];
    for (let hour = 0; hour < 3; hour++) {
      const before = writes.length;
      for (let turn = 0; turn < 180; turn++) {
        writer.look(['orders']);
        await time.advance(20_000);
      }
      perHour.push(writes.length - before);
    }
    expect(perHour).toEqual([34, 24, 24]);
    stand.failure = undefined;
    stand.generation = 2;
    const before = writes.length;
    writer.note('orders', objectOf('orders', {}, 2));
    await time.advance(10);
    expect(writes).toHaveLength(before + 1);
  });

  it('lets no object that the API server refuses hold up the others', async () => {
    const stand = start();
    const { writer, time, writes } = stand;
    stand.failure = new ApiFailure('api_refused', '422 invalid');
    for (let index = 0; index < 50; index++) writer.note(`bad${index}`, objectOf(`bad${index}`));
    await time.advance(1);
    stand.failure = undefined;
    writes.length = 0;
    writer.note('good', objectOf('good'));
    await time.advance(10);
    expect(writes.map(({ path }) => path)).toContain(
      '/apis/portcullis.dev/v1alpha1/namespaces/shop/accesspolicies/good/status',
    );
  });

  it('says that a status cannot be written, not of an object that was deleted meanwhile and not of thousands', async () => {
    const stand = start();
    const { writer, time, warnings } = stand;
    stand.failure = new ApiFailure('api_not_found', '404');
    writer.note('gone', objectOf('gone'));
    await time.advance(10);
    writer.note('gone', undefined);
    await time.advance(60_000);
    expect(warnings).toEqual([]);
    // A CRD without the status subresource.
    for (let index = 0; index < 200; index++) writer.note(`p${index}`, objectOf(`p${index}`));
    await time.advance(60_000);
    expect(warnings.length).toBeGreaterThan(0);
    expect(warnings.length).toBeLessThan(21);
  });

  it('leaves Events out where there would be thousands, and never a status', async () => {
    const { writer, time, writes, events } = start();
    for (let index = 0; index < 2000; index++) writer.note(`p${index}`, objectOf(`p${index}`));
    await time.advance(2000);
    expect(writes).toHaveLength(2000);
    expect(events.length).toBeLessThan(310);
    expect(events.length).toBeGreaterThan(299);
    const before = events.length;
    await time.advance(10_000);
    writer.note('later', objectOf('later'));
    await time.advance(10);
    expect(events.length).toBe(before + 3);
  });
});

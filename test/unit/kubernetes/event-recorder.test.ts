import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { memberObject, type ObjectMeta } from '../../../src/kubernetes/api-object.ts';
import { ApiFailure } from '../../../src/kubernetes/api-failure.ts';
import { createEventRecorder } from '../../../src/kubernetes/event-recorder.ts';
import type { ApiRequest } from '../../../src/kubernetes/kubernetes-api.ts';
import { createManualTime } from './manual-time.ts';

async function record(name: string, message: string): Promise<JsonObject> {
  const sent: JsonObject[] = [];
  const silent = (): void => undefined;
  const recorder = createEventRecorder(
    {
      ...createManualTime(),
      api: {
        request: async ({ body }: ApiRequest) => {
          sent.push(body as JsonObject);
          return {};
        },
        watch: () => Promise.reject(new Error('no watch')),
        close: async () => undefined,
      },
      random: { id: () => '0123-4567', fraction: () => 0 },
      logger: { debug: silent, info: silent, warn: silent, error: silent },
    },
    'portcullis-0',
  );
  const meta: ObjectMeta = { namespace: 'shop', name, uid: 'u', resourceVersion: '1', generation: 1, createdAt: 0 };
  await recorder.record(
    { apiVersion: 'v', kind: 'AccessPolicy', meta },
    { type: 'Normal', reason: 'Accepted', message },
  );
  return sent[0] ?? expect.unreachable('nothing was sent');
}

const nameOf = (event: JsonObject): unknown => memberObject(event, 'metadata')['name'];

it('an Event has a name and a note that the API server takes, whatever the object is called and the message says', async () => {
  const short = await record('orders', 'fine');
  expect([nameOf(short), short['note']]).toEqual(['orders.01234567', 'fine']);
  const long = await record(`${'a'.repeat(229)}-${'b'.repeat(23)}`, '€'.repeat(1000));
  expect(nameOf(long)).toBe(`${'a'.repeat(229)}.01234567`);
  expect(long['note']).toBe('€'.repeat(341));
});

it('an Event that may not be made in one namespace keeps none out of others, and is tried again later', async () => {
  const tried: string[] = [];
  const warnings: string[] = [];
  const silent = (): void => undefined;
  const time = createManualTime();
  const recorder = createEventRecorder(
    {
      ...time,
      api: {
        request: async ({ path }: ApiRequest) => {
          tried.push(path.split('/')[5] ?? '');
          if (path.includes('/team-b/')) throw new ApiFailure('api_forbidden', 'POST: status 403');
          return {};
        },
        watch: () => Promise.reject(new Error('no watch')),
        close: async () => undefined,
      },
      random: { id: () => '0123-4567', fraction: () => 0 },
      logger: { debug: silent, info: silent, warn: (_fields, message) => void warnings.push(message), error: silent },
    },
    'portcullis-0',
  );
  const say = (namespace: string): Promise<void> => {
    const meta: ObjectMeta = { namespace, name: 'p', uid: 'u', resourceVersion: '1', generation: 1, createdAt: 0 };
    const about = { apiVersion: 'v', kind: 'AccessPolicy', meta };
    return recorder.record(about, { type: 'Normal', reason: 'Accepted', message: 'fine' });
  };
  for (const namespace of ['team-b', 'shop', 'team-b', 'shop']) await say(namespace);
  expect([tried, warnings.length]).toEqual([['team-b', 'shop', 'shop'], 1]);
  await time.advance(10 * 60_000);
  await say('team-b');
  expect([tried.at(-1), warnings.length]).toEqual(['team-b', 2]);
});

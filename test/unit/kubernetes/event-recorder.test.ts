import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { memberObject, type ObjectMeta } from '../../../src/kubernetes/api-object.ts';
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

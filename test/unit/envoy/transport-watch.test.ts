import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { codecOf } from '../../../src/envoy/protos.ts';
import { startCheckServer, transportNames, type CheckServer, type CheckServerOptions } from './check-server.ts';
import { sleep } from './envoy-fixtures.ts';
import { framed, openRaw, rawAnswer, type clientOf } from './grpc-clients.ts';

const authorization = 'envoy.service.auth.v3.Authorization';
const serving = { status: 1 };
const notServing = { status: 2 };

describe.each(transportNames)('on %s', (kind) => {
  const startServer = (options: CheckServerOptions = {}): Promise<CheckServer> =>
    startCheckServer({ kind, ...options });

  describe('watching health', () => {
    /** Everything that a watch hears until it ends. */
    function watch(client: ReturnType<typeof clientOf>, service: string) {
      const response = codecOf('grpc.health.v1.HealthCheckResponse');
      const stream = client.makeServerStreamRequest(
        '/grpc.health.v1.Health/Watch',
        (bytes: Buffer) => bytes,
        (bytes) => response.decode(bytes),
        Buffer.from(codecOf('grpc.health.v1.HealthCheckRequest').encode({ service })),
        new Metadata(),
      );
      const heard: object[] = [];
      let wake = (): void => {};
      stream.on('data', (message: object) => {
        heard.push(message);
        wake();
      });
      const ended = new Promise<number>((resolve) => {
        stream.on('error', () => {});
        stream.on('status', ({ code }) => resolve(code));
      });
      const until = async (count: number): Promise<object[]> => {
        while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve));
        return heard;
      };
      return { until, ended, cancel: () => stream.cancel() };
    }

    test('tells every change, and a drain ends it', async () => {
      const server = await startServer();
      const watcher = watch(server.client(), authorization);
      expect(await watcher.until(1)).toEqual([notServing]);
      server.health.setServing(true);
      expect(await watcher.until(2)).toEqual([notServing, serving]);
      server.health.setServing(false);
      expect(await watcher.until(3)).toEqual([notServing, serving, notServing]);
      expect(await server.transport.drain(5000)).toBe('drained');
      expect(await watcher.ended).toBe(status.UNAVAILABLE);
    });

    test('of an unknown service tells so and stays open', async () => {
      const server = await startServer();
      const watcher = watch(server.client(), 'other');
      expect(await watcher.until(1)).toEqual([{ status: 3 }]);
      expect(await Promise.race([watcher.ended, sleep(50)])).toBeUndefined();
    });

    test('is refused beyond the bound, and a watcher that leaves makes room', async () => {
      const server = await startServer({ maxWatchers: 1 });
      const client = server.client();
      const first = watch(client, '');
      await first.until(1);
      expect(await watch(client, '').ended).toBe(status.RESOURCE_EXHAUSTED);
      first.cancel();
      await first.ended;
      await sleep(50);
      const second = watch(client, '');
      expect(await second.until(1)).toEqual([notServing]);
    });

    test('leaves nothing behind for watchers that reset at once', async () => {
      const server = await startServer({ maxWatchers: 1 });
      const session = await server.session();
      const body = framed(new Uint8Array());
      for (let i = 0; i < 50; i++) {
        const stream = openRaw(session, { ':path': '/grpc.health.v1.Health/Watch' });
        const answer = rawAnswer(stream);
        stream.end(body);
        if (i % 2 === 0) await sleep(1);
        stream.close(8);
        await answer;
      }
      await sleep(50);
      expect(await watch(server.client(), '').until(1)).toEqual([notServing]);
    });
  });
});

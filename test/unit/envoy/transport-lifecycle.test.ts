import { existsSync, linkSync, mkdtempSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { allow, type Decision } from '../../../src/core/decision.ts';
import { startCheckServer, transportNames, type CheckServer, type CheckServerOptions } from './check-server.ts';
import { about, allowed, authorizer, checkRequest, sleep, slowAuthorizer, unchanged } from './envoy-fixtures.ts';
import { callCheck, framed, rawCall } from './grpc-clients.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-grpc-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Nothing waits for that long where the machine is idle; a busy one is no failure. */
const patienceMs = 60_000;

describe.each(transportNames)('on %s', (kind) => {
  const startServer = (options: CheckServerOptions = {}): Promise<CheckServer> =>
    startCheckServer({ kind, ...options });

  describe('a drain', { timeout: patienceMs }, () => {
    test('answers what was asked before it, and accepts nothing after', async () => {
      const slow = slowAuthorizer(6);
      const server = await startServer({ authorizer: slow.ours, checkTimeoutMs: patienceMs });
      const clients = [server.client(), server.client(), server.client()];
      const answers = clients.flatMap((client) => [
        callCheck(client, checkRequest()),
        callCheck(client, checkRequest()),
      ]);
      await slow.asked;
      const drained = server.transport.drain(patienceMs);
      await sleep(20);
      slow.finish();
      expect(await Promise.all(answers)).toEqual(answers.map(() => allowed));
      expect(await drained).toBe('drained');
      const late = await callCheck(server.client(), checkRequest(), { deadline: Date.now() + 300 });
      expect(late).toEqual({ status: expect.any(Number) });
    });

    test('under steady load loses no call that was begun', async () => {
      const decide = (): Promise<Decision> => sleep(2).then(() => allow(about, unchanged));
      const server = await startServer({ authorizer: authorizer(decide) });
      const session = await server.session();
      const answers: ReturnType<typeof rawCall>[] = [];
      const body = framed(checkRequest());
      let drained: Promise<string> | undefined;
      while (!session.closed && !session.destroyed) {
        answers.push(rawCall(session, body));
        if (answers.length === 20) drained = server.transport.drain(patienceMs);
        await sleep(1);
      }
      expect(await drained).toBe('drained');
      const ended = await Promise.all(answers);
      // REFUSED_STREAM (7) says that the call was never begun: a client may ask elsewhere.
      const lost = ended.filter(({ grpcStatus, reset }) => grpcStatus !== 0 && reset !== 7);
      expect(lost).toEqual([]);
      expect(ended.length).toBeGreaterThan(10);
    });

    test('cuts off what is not over in time', async () => {
      const { ours, asked } = slowAuthorizer();
      const server = await startServer({ authorizer: ours });
      const answer = callCheck(server.client(), checkRequest());
      await asked;
      expect(await server.transport.drain(50)).toBe('forced');
      expect(await answer).toEqual({ status: expect.any(Number) });
    });

    test('and a close after it, and twice, and of a transport that never listened, are no error', async () => {
      const server = await startServer();
      expect(await callCheck(server.client(), checkRequest())).toEqual(allowed);
      expect(await server.transport.drain(patienceMs)).toBe('drained');
      await server.transport.close();
      await server.transport.close();
    });
  });

  describe('an address', () => {
    test.each(['', '9001', ':9001', 'localhost', '127.0.0.1:99999', '::1:9001', 'unix:', 'http://x:1', '[x]:1'])(
      'that is none is refused: %j',
      async (address) => {
        await expect(startServer({ address })).rejects.toMatchObject({ name: 'Failure', code: 'address_invalid' });
      },
    );

    test('in use is refused for the second server, and the first goes on', async () => {
      const first = await startServer();
      await expect(startServer({ address: first.address })).rejects.toMatchObject({
        name: 'Failure',
        code: 'address_in_use',
        message: `${first.address} is in use: another process listens there.`,
      });
      expect(await callCheck(first.client(), checkRequest())).toEqual(allowed);
    });

    test('of a unix socket in use is refused, and the first goes on', async () => {
      const address = `unix:${join(folder, 'used.sock')}`;
      const first = await startServer({ address });
      await expect(startServer({ address })).rejects.toMatchObject({ code: 'address_in_use' });
      expect(await callCheck(first.client(), checkRequest())).toEqual(allowed);
    });

    test('of a unix socket that a killed server left behind is taken over', async () => {
      const path = join(folder, 'stale.sock');
      await leaveStaleSocket(path);
      const server = await startServer({ address: `unix:${path}`, unixSocketMode: 0o600 });
      expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
      expect(await callCheck(server.client(), checkRequest())).toEqual(allowed);
    });

    test('of a file that is no socket is refused, and the file stays', async () => {
      const path = join(folder, 'file');
      writeFileSync(path, 'precious');
      await expect(startServer({ address: `unix:${path}` })).rejects.toMatchObject({ code: 'address_in_use' });
      expect(statSync(path).size).toBe(8);
    });

    test('that the machine does not have is refused', async () => {
      const started = startServer({ address: '192.0.2.1:0' });
      await expect(started).rejects.toMatchObject({ name: 'Failure', code: 'address_unavailable' });
    });

    test('of a unix socket whose path is too long is refused, with what is too much', async () => {
      const longest = join(folder, 'x'.repeat(106 - folder.length));
      const server = await startServer({ address: `unix:${longest}` });
      expect(await callCheck(server.client(), checkRequest())).toEqual(allowed);
      const address = `unix:${longest}${'x'.repeat(13)}`;
      await expect(startServer({ address })).rejects.toMatchObject({
        code: 'address_unavailable',
        message: `${address} cannot be bound: its path has 120 bytes, and that of a socket may have 107.`,
      });
    });

    test('of a unix socket in a folder that is not there is refused', async () => {
      const started = startServer({ address: `unix:${folder}/none/x.sock` });
      // The system says the same (EACCES) as where the user may not write there.
      await expect(started).rejects.toMatchObject({ name: 'Failure', code: 'address_forbidden' });
    });

    /** What a server leaves that ends without closing: a socket file and nobody behind it. */
    async function leaveStaleSocket(path: string): Promise<void> {
      const hidden = `${path}.hidden`;
      const server = createServer();
      await new Promise<void>((resolve) => void server.listen(hidden, resolve));
      linkSync(hidden, path);
      unlinkSync(hidden);
      await new Promise<void>((resolve) => void server.close(() => resolve()));
      expect(existsSync(path)).toBe(true);
    }
  });
});

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { codeOf, listenOn } from '../../../src/std/listen.ts';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-listen-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a listener hands connections over, accepts nothing once closed, and cuts off what is left when told', async () => {
  const accepted = Promise.withResolvers<void>();
  const path = join(folder, 'a.sock');
  const listener = await listenOn({ kind: 'unix', path }, 0o600, (socket) => {
    socket.on('error', () => {});
    accepted.resolve();
  });
  const client = connect(path);
  client.on('error', () => {});
  const ended = new Promise<void>((resolve) => void client.once('close', () => resolve()));
  await accepted.promise;
  let closed = false;
  const closing = listener.close().then(() => (closed = true));
  const refused = await new Promise((resolve) => void connect(path).once('error', (error) => resolve(codeOf(error))));
  expect([refused, closed]).toEqual(['ENOENT', false]);
  listener.destroyConnections();
  await Promise.all([ended, closing]);
});

test('port 0 is any free port, and the address says which', async () => {
  const listener = await listenOn({ kind: 'tcp', host: '127.0.0.1', port: 0 }, 0, () => {});
  expect(listener.address).toEqual({ kind: 'tcp', host: '127.0.0.1', port: expect.any(Number) });
  await expect(listenOn(listener.address, 0, () => {})).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await listener.close();
});

const tcpTable = '/proc/net/tcp';

test.runIf(existsSync(tcpTable))('a peer that is gone without a word is asked for by the system', async () => {
  const accepted = Promise.withResolvers<number>();
  const listener = await listenOn({ kind: 'tcp', host: '127.0.0.1', port: 0 }, 0, (socket) =>
    accepted.resolve(socket.remotePort ?? 0),
  );
  const client = connect(listener.address.kind === 'tcp' ? listener.address.port : 0, '127.0.0.1');
  const peer = (await accepted.promise).toString(16).toUpperCase().padStart(4, '0');
  const line = readFileSync(tcpTable, 'utf8')
    .split('\n')
    .map((text) => text.trim().split(/\s+/u))
    .find(([, , remote]) => remote?.endsWith(`:${peer}`) === true);
  // The timer that runs for the connection: 02 is that of keep-alive.
  expect(line?.[5]?.split(':')[0]).toBe('02');
  client.destroy();
  listener.destroyConnections();
  await listener.close();
});

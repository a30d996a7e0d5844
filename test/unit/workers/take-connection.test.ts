import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { ToWatcher } from '../../../src/runtime/workers/messages.ts';
import { takeConnection } from '../../../src/runtime/workers/take-connection.ts';
import { eventually } from '../../support/eventually.ts';

/** Both ends of a connection. */
async function createPair(): Promise<readonly [here: Socket, peer: Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [here] = await accepted;
  peer.on('error', () => {});
  onTestFinished(() => {
    for (const socket of [here, peer]) socket.destroy();
    server.close();
  });
  return [here, peer];
}

function createStand() {
  const told: ToWatcher[] = [];
  const taken: Socket[] = [];
  let whenSent = (): void => undefined;
  return {
    told,
    taken,
    sent: () => whenSent(),
    ports: {
      tell: (message: ToWatcher, done?: () => void) => {
        told.push(message);
        if (done !== undefined) whenSent = done;
      },
      take: (socket: Socket) => void taken.push(socket),
    },
  };
}

it('nothing is answered on a connection before the watcher will hear that it is here', async () => {
  const { ports, told, taken, sent } = createStand();
  const [here, peer] = await createPair();
  takeConnection(7, here, ports);
  expect([told, taken]).toEqual([[{ kind: 'taken', number: 7 }], []]);
  sent();
  expect(taken).toEqual([here]);
  here.resume();
  peer.end();
  await eventually(() => expect(told).toEqual([{ kind: 'taken', number: 7 }, { kind: 'closed' }]));
});

it('one that is reset meanwhile is told as closed, and nobody gets it', async () => {
  const { ports, told, taken, sent } = createStand();
  const [here, peer] = await createPair();
  takeConnection(7, here, ports);
  here.resume();
  peer.resetAndDestroy();
  await eventually(() => expect(told).toEqual([{ kind: 'taken', number: 7 }, { kind: 'closed' }]));
  sent();
  expect(taken).toEqual([]);
});

it('one that has gone on its way here counts no more', () => {
  const { ports, told, taken } = createStand();
  takeConnection(7, undefined, ports);
  expect([told, taken]).toEqual([[{ kind: 'taken', number: 7 }, { kind: 'closed' }], []]);
});

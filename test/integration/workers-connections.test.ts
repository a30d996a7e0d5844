import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { ServeProcess } from './support/serve-process.ts';
import { encodeFrame } from './support/http2-frames.ts';
import { ask, metricOf, pidsOf, policy, ready, statusOf, useWorkersStand } from './support/workers-stand.ts';

const { write, serve, client, onEnd } = useWorkersStand();

interface Opened {
  readonly socket: Socket;
  state: 'waiting' | 'answered' | 'closed';
}

/** Connects and greets as HTTP/2 has it; whoever serves answers with SETTINGS. */
function open({ grpcAddress }: ServeProcess): Promise<Opened> {
  const [host = '', port = ''] = grpcAddress.split(':');
  return new Promise((resolve) => {
    const socket = connect(Number(port), host);
    const opened: Opened = { socket, state: 'waiting' };
    onEnd(() => socket.destroy());
    socket.on('error', () => {});
    socket.once('data', () => {
      opened.state = 'answered';
    });
    socket.once('close', () => {
      if (opened.state === 'waiting') opened.state = 'closed';
    });
    socket.once('connect', () => {
      socket.write(
        Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), encodeFrame(4, 0, 0, Buffer.alloc(0))]),
      );
      resolve(opened);
    });
  });
}

function countOf(all: readonly Opened[], state: Opened['state']): number {
  return all.filter((one) => one.state === state).length;
}

async function begin(): Promise<ServeProcess> {
  write('a.yaml', policy('Public'));
  const service = await serve('--transport', 'native', '--log-decisions', 'none');
  await ready(service);
  return service;
}

describe('connections that come while a worker stands still', () => {
  it('go to the others at once, and the one that was on its way to it when it is replaced', async () => {
    const service = await begin();
    const [stopped = 0] = pidsOf(service);
    process.kill(stopped, 'SIGSTOP');
    const all: Opened[] = [];
    for (let i = 0; i < 20; i++) all.push(await open(service));
    await eventually(() => expect(countOf(all, 'answered')).toBe(19), 2000);
    expect(countOf(all, 'waiting')).toBe(1);
    await eventually(() => expect(countOf(all, 'answered')).toBe(20), 20_000);
    await eventually(async () => expect((await statusOf(service)).workers.serving).toBe(2));
    expect(await metricOf(service, 'portcullis_worker_exits_total', 'reason="hung"')).toBe(1);
    expect(await metricOf(service, 'portcullis_worker_exits_total')).toBe(1);
    const fresh = [client(service), client(service)];
    expect(await Promise.all(fresh.map((each) => ask(each)))).toEqual(['allow', 'allow']);
  }, 60_000);

  it('are taken by it when it goes on, and each by one alone', async () => {
    const service = await begin();
    const [stopped = 0] = pidsOf(service);
    process.kill(stopped, 'SIGSTOP');
    const all: Opened[] = [];
    for (let i = 0; i < 20; i++) all.push(await open(service));
    await eventually(() => expect(countOf(all, 'answered')).toBe(19), 2000);
    process.kill(stopped, 'SIGCONT');
    await eventually(() => expect(countOf(all, 'answered')).toBe(20), 2000);
    expect(pidsOf(service)[0]).toBe(stopped);
    expect(await metricOf(service, 'portcullis_worker_exits_total')).toBe(0);
  });
});

describe('connections that come while a worker is killed', () => {
  it('are answered or closed, every one of them, and those of the others are answered', async () => {
    const service = await begin();
    const [killed = 0] = pidsOf(service);
    const all: Opened[] = [];
    for (let i = 0; i < 300; i++) {
      all.push(await open(service));
      if (i === 100) process.kill(killed, 'SIGKILL');
    }
    await eventually(() => expect(countOf(all, 'waiting')).toBe(0), 5000);
    // What one worker had not answered before it was killed.
    expect(countOf(all, 'answered')).toBeGreaterThan(240);
    await eventually(async () => expect((await statusOf(service)).workers.serving).toBe(2));
    const fresh = [client(service), client(service)];
    expect(await Promise.all(fresh.map((each) => ask(each)))).toEqual(['allow', 'allow']);
  });

  it('are closed at once where all are killed, and served again when the next ones have begun', async () => {
    const service = await begin();
    for (const pid of pidsOf(service)) process.kill(pid, 'SIGSTOP');
    const all: Opened[] = [];
    for (let i = 0; i < 10; i++) all.push(await open(service));
    await sleep(100);
    expect(countOf(all, 'waiting')).toBe(10);
    for (const pid of pidsOf(service)) process.kill(pid, 'SIGKILL');
    await eventually(() => expect(countOf(all, 'closed')).toBe(10), 3000);
    await eventually(async () => expect((await statusOf(service)).workers.serving).toBe(2));
    const last = await open(service);
    await eventually(() => expect(last.state).toBe('answered'), 2000);
  });
});

it('connections that come in a burst are spread as those that come one by one', async () => {
  const service = await begin();
  const all = await Promise.all(Array.from({ length: 40 }, () => open(service)));
  await eventually(() => expect(countOf(all, 'answered')).toBe(40), 5000);
  // Who dies takes its half along, and nothing else.
  const [killed = 0] = pidsOf(service);
  process.kill(killed, 'SIGKILL');
  await eventually(() => expect(all.filter(({ socket }) => socket.destroyed)).toHaveLength(20), 3000);
  await sleep(200);
  expect(all.filter(({ socket }) => socket.destroyed)).toHaveLength(20);
});

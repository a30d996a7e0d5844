import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createHandOver } from '../../../src/runtime/workers/hand-over.ts';
import { createManualTime } from '../kubernetes/manual-time.ts';

type Told = Socket & { readonly name: string; isClosed: boolean };

function connection(name: string): Told {
  const made = {
    name,
    isClosed: false,
    destroy: () => void (made.isClosed = true),
  };
  return made as unknown as Told;
}

/** Workers that take what is on its way to them when the test says so. */
function createStand(count: number) {
  const time = createManualTime();
  const workers = Array.from({ length: count }, (_, index) => {
    const got: string[] = [];
    const one = {
      worker: index + 1,
      connections: 0,
      handedOver: 0,
      handingSince: undefined as number | undefined,
      isServing: true,
      got,
      handOver: (socket: Socket) => {
        one.connections++;
        one.handedOver++;
        one.handingSince ??= time.clock.monotonic();
        got.push((socket as Told).name);
      },
    };
    return one;
  });
  const handOver = createHandOver({
    links: () => workers.filter(({ isServing }) => isServing),
    ...time,
  });
  const worker = (number: number): (typeof workers)[number] => {
    const found = workers[number - 1];
    if (found === undefined) throw new Error(`there is no worker ${number}`);
    return found;
  };
  const takes = (number: number): void => {
    worker(number).handingSince = undefined;
    handOver.go();
  };
  const take = (...names: readonly string[]): readonly Told[] => {
    const made = names.map(connection);
    for (const one of made) handOver.take(one);
    return made;
  };
  return {
    time,
    handOver,
    worker,
    takes,
    take,
    got: () => workers.map(({ got }) => got.join('')),
  };
}

describe('a connection', () => {
  it('is on its way to a worker alone: the next ones wait until it has been taken', () => {
    const { take, takes, got } = createStand(2);
    take('a', 'b', 'c', 'd', 'e');
    expect(got()).toEqual(['a', 'b']);
    takes(1);
    expect(got()).toEqual(['ac', 'b']);
    takes(1);
    expect(got()).toEqual(['ac', 'b']);
    takes(2);
    expect(got()).toEqual(['ace', 'bd']);
  });

  it('goes to who has the fewest when it is its turn, not when it came', () => {
    const { take, takes, got, worker } = createStand(2);
    take('a', 'b', 'c');
    worker(1).connections = 5;
    takes(1);
    expect(got()).toEqual(['a', 'b']);
    takes(2);
    expect(got()).toEqual(['a', 'bc']);
  });

  it('waits a short while for who has the fewest and is slow, and goes to another one then', async () => {
    const { take, takes, got, worker, time } = createStand(2);
    worker(2).connections = 3;
    take('a', 'b', 'c');
    expect(got()).toEqual(['a', '']);
    await time.advance(199);
    expect(got()).toEqual(['a', '']);
    await time.advance(1);
    expect(got()).toEqual(['a', 'b']);
    takes(2);
    expect(got()).toEqual(['a', 'bc']);
    takes(1);
    take('d');
    expect(got()).toEqual(['ad', 'bc']);
  });

  it('goes to whoever is ready first where all are slow', async () => {
    const { take, takes, got, time } = createStand(2);
    take('a', 'b', 'c', 'd');
    await time.advance(60_000);
    expect(got()).toEqual(['a', 'b']);
    takes(2);
    takes(2);
    expect(got()).toEqual(['a', 'bcd']);
  });

  it('that comes back is the next, before those that came later', () => {
    const { take, takes, got, handOver } = createStand(1);
    take('a', 'b', 'c');
    handOver.takeBack(connection('z'));
    takes(1);
    takes(1);
    takes(1);
    expect(got()).toEqual(['azbc']);
  });

  it('is closed where no worker takes connections, and those that wait are when the last one is gone', () => {
    const { take, got, worker, handOver } = createStand(1);
    const [a, b, c] = take('a', 'b', 'c');
    worker(1).isServing = false;
    handOver.go();
    expect([a?.isClosed, b?.isClosed, c?.isClosed]).toEqual([false, true, true]);
    const [d] = take('d');
    expect([d?.isClosed, got()]).toEqual([true, ['a']]);
  });
});

it('all that wait go at once where what is told next has to come behind them', () => {
  const { take, got, handOver } = createStand(2);
  take('a', 'b', 'c', 'd', 'e', 'f');
  handOver.flush();
  expect(got()).toEqual(['ace', 'bdf']);
});

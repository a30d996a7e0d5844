import type { Socket } from 'node:net';

/** Connections that were sent to a worker, by number. Each is kept open here until the worker has said that it has it: what never arrives can be given to another. */
export interface ConnectionsOnTheWay {
  /** `pulse`: the last that was sent before. */
  add(socket: Socket, at: number, pulse: number): number;
  /** It has arrived. */
  arrived(number: number): void;
  /** The worker has answered this pulse, and so had read what came before it: closes what has not arrived, and says how many that were. */
  lostBefore(pulse: number): number;
  /** When the oldest was sent, monotonic. */
  readonly since: number | undefined;
  /** Gives all of them back. */
  takeBack(): readonly Socket[];
}

interface OnItsWay {
  readonly socket: Socket;
  readonly at: number;
  readonly pulse: number;
}

export function createConnectionsOnTheWay(): ConnectionsOnTheWay {
  const all = new Map<number, OnItsWay>();
  let count = 0;
  const close = (number: number): void => {
    // Of what has arrived this closes no more than the copy of this process.
    all.get(number)?.socket.destroy();
    all.delete(number);
  };
  return {
    add: (socket, at, pulse) => {
      all.set(++count, { socket, at, pulse });
      return count;
    },
    arrived: close,
    lostBefore: (pulse) => {
      const lost = [...all].filter(([, one]) => one.pulse < pulse);
      for (const [number] of lost) close(number);
      return lost.length;
    },
    get since() {
      const [first] = all.values();
      return first?.at;
    },
    takeBack: () => {
      const back = [...all.values()].map(({ socket }) => socket);
      all.clear();
      return back;
    },
  };
}

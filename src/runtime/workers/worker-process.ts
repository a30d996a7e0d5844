import { fork } from 'node:child_process';
import type { Socket } from 'node:net';
import type { ToWatcher, ToWorker } from './messages.ts';

/** A worker, as the watcher sees its process. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** Never throws; what does not arrive is followed by the end of the process. */
  send(message: ToWorker): void;
  /** Sends the connection with its number. It stays open here too, and what does not arrive is followed by the end of the process. */
  handOver(socket: Socket, number: number): void;
  onMessage(listener: (message: ToWatcher) => void): void;
  /** Called once, when all that it said was heard; `how` is the exit code or the signal. */
  onExit(listener: (how: string) => void): void;
  /** At once, whatever it does. */
  kill(): void;
}

/** As its neighbour is written: the sources run as they are, and compiled. */
const program = new URL(
  import.meta.url.endsWith('.ts') ? './worker-program.ts' : './worker-program.js',
  import.meta.url,
);

/**
 * Starts a worker. It has the outputs of this process, which keeps it from outliving this one by a closed channel, and no signal of a terminal
 * reaches it that this process has not heard of.
 */
export function startWorkerProcess(): WorkerProcess {
  const child = fork(program, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  // What cannot be sent is told by its exit.
  child.on('error', () => {});
  return {
    pid: child.pid,
    send: (message) => {
      if (child.connected) child.send(message, () => {});
    },
    handOver: (socket, number) => {
      const message: ToWorker = { kind: 'connection', number };
      if (child.connected) child.send(message, socket, { keepOpen: true }, () => {});
    },
    onMessage: (listener) =>
      void child.on('message', (message) => {
        if (isToWatcher(message)) listener(message);
      }),
    onExit: (listener) => void child.once('close', (code, signal) => listener(signal ?? String(code))),
    kill: () => void child.kill('SIGKILL'),
  };
}

/** The program on the other end is ours: what has a kind is one of its messages. */
function isToWatcher(message: unknown): message is ToWatcher {
  return typeof message === 'object' && message !== null && 'kind' in message;
}

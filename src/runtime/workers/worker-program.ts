import type { Socket } from 'node:net';
import { Failure, messageOf } from '../../core/failure.ts';
import type { Logger } from '../../core/ports.ts';
import { guardProcess } from '../process-guard.ts';
import { systemTimers } from '../system-ports.ts';
import { createSystemServiceIo } from '../system-service-io.ts';
import { tuneMemory } from '../tune-memory.ts';
import { readVersion } from '../version.ts';
import type { StartMessage, ToWorker } from './messages.ts';
import { startWorker, type Worker } from './start-worker.ts';
import { createWatcherChannel } from './watcher-channel.ts';

/**
 * The program of a worker. It lives as long as the watcher: who has lost it decides by policies that nobody follows any more, and ends. When it ends
 * is the watcher's word; a terminal sends its signals to both.
 */
const tuneForChecks = tuneMemory(systemTimers);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

let log: Logger | undefined;
const tell = createWatcherChannel(process, (how) => {
  log?.warn({ how }, 'the process that watches is gone: the worker ends');
  process.exit(1);
});
let worker: Promise<Worker | undefined> = Promise.resolve(undefined);

// The program on the other end is ours.
process.on('message', (message: ToWorker, socket?: Socket) => {
  if (message.kind === 'start') worker = start(message);
  else if (message.kind === 'end') void worker.then(end);
  else void worker.then((one) => one?.take(message, socket));
});

async function start(message: StartMessage): Promise<Worker | undefined> {
  const { config, worker: number } = message;
  const io = createSystemServiceIo(config, { version: readVersion(), logTo: 1, processMetrics: true, worker: number });
  const { observation } = io;
  const { logger, metrics } = observation;
  log = logger;
  guardProcess({ process, logger, onUncaught: (kind) => metrics.uncaught(kind) });
  try {
    const started = await startWorker(message, io, {
      tell,
      onLoaded: () => tuneForChecks(config.transport),
      // Another one takes its place, with everything anew.
      onBroken: (thrown) => {
        logger.error({ error: messageOf(thrown) }, 'a revision cannot be taken: the worker ends');
        void observation.close().then(() => process.exit(1));
      },
    });
    tell({ kind: 'started' });
    return { ...started, close: () => started.close().then(() => observation.close()) };
  } catch (thrown) {
    const code = thrown instanceof Failure ? thrown.code : 'internal_error';
    tell({ kind: 'failed', code, message: messageOf(thrown) });
    return undefined;
  }
}

async function end(one: Worker | undefined): Promise<void> {
  await one?.close();
  process.exit(0);
}

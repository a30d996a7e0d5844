import type { Socket } from 'node:net';
import type { Logger } from '../../core/ports.ts';
import type { RevocationListHandle } from '../../core/revocation.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Steps } from '../../std/steps.ts';
import { maxListEntries } from '../../stores/stored-list.ts';
import { createAnswering, type Answering } from '../answering.ts';
import { createServingEngine } from '../create-serving-engine.ts';
import { createSharedStores } from '../create-shared-stores.ts';
import { followRevocationsFile } from '../revocations-file.ts';
import type { ServiceIo } from '../running-service.ts';
import { userAgent } from '../version.ts';
import { watchWallClock } from '../watch-wall-clock.ts';
import { createWatcherPorts, type WatcherPorts } from './ask-watcher.ts';
import type { ListNews, StartMessage, ToWorker } from './messages.ts';
import { createReceivedList, type ReceivedList } from './received-list.ts';
import { createReporter, type Reporter } from './reporter.ts';
import { createRevisionTaker, type RevisionTaker } from './revision-taker.ts';
import { takeConnection, type TellWatcher } from './take-connection.ts';

/** Answers the checks of the connections that it is given, by what the watcher sends. */
export interface Worker {
  /** Takes a message of the watcher, and the connection that comes with it. */
  take(message: ToWorker, socket: Socket | undefined): void;
  close(): Promise<void>;
}

export interface WorkerEvents {
  readonly tell: TellWatcher;
  /** All policies are in force. */
  readonly onLoaded: () => void;
  /** What is in force is not what the watcher sent. */
  readonly onBroken: (thrown: unknown) => void;
}

interface Parts {
  readonly io: ServiceIo;
  readonly engine: Engine;
  readonly answering: Answering & { take(socket: Socket): void };
  readonly revisions: RevisionTaker;
  readonly watcher: WatcherPorts;
  readonly revoked: ReceivedList;
  readonly listed: RevocationListHandle | undefined;
  readonly reporter: Reporter;
}

/** Throws the Failure of what it needs and cannot use: TLS files, the authorities of Redis. */
export async function startWorker(
  { config, dpopNonceKey }: StartMessage,
  io: ServiceIo,
  { tell, onLoaded, onBroken }: WorkerEvents,
): Promise<Worker> {
  const { clock, timers, observation } = io;
  const { logger } = observation;
  const watcher = createWatcherPorts(tell, timers);
  const stores = await createSharedStores(config, io);
  const revoked = createReceivedList(maxListEntries, {
    ...io,
    among: config.redisUrl === undefined ? 'workers' : 'replicas',
  });
  const serving = await createServingEngine(config, withQuietLogger(io), userAgent, stores, {
    http: (own) => ({ ...own, getShared: watcher.getShared, recall: watcher.recall }),
    replays: stores.replays ?? watcher.replays,
    revoked,
    dpopNonceKey,
    onUnroutedCheck: (policy) => reporter.unrouted(policy),
  });
  const { engine } = serving;
  const answering = await createAnswering(config, io, engine);
  const reporter = createReporter({ providers: () => engine.status().providers, tell, timers });
  const settings = { serviceNamespace: config.namespace };
  const hasMap = config.policies === undefined && config.revocationsConfigMap !== undefined;
  const file =
    config.revocationsFile &&
    followRevocationsFile(config.revocationsFile, engine.revocations.openList('file'), { ...io, logger });
  const clockWatch = watchWallClock({ clock, timers, logger });
  if (file) await file.firstLook;
  const revisions = createRevisionTaker({
    engine,
    settings,
    onBroken,
    tell: (message) => {
      // What is in force is told with what its providers say of themselves.
      if (message.kind === 'acknowledged') reporter.report();
      tell(message);
    },
  });
  const listed = hasMap ? engine.revocations.openList('configMap') : undefined;
  const parts: Parts = { io, engine, answering, revisions, watcher, revoked, listed, reporter };
  return {
    take: (message, socket) => {
      takeMessage(parts, message, socket, tell);
      if (message.kind === 'serving' && message.isServing) onLoaded();
    },
    close: async () => {
      reporter.close();
      clockWatch.close();
      if (file) file.close();
      await answering.close();
      serving.close();
    },
  };
}

function takeMessage(parts: Parts, message: ToWorker, socket: Socket | undefined, tell: WorkerEvents['tell']): void {
  const { engine, answering, revisions, watcher, revoked, listed } = parts;
  switch (message.kind) {
    case 'documents':
      revisions.documents(message.documents);
      return;
    case 'revision':
      revisions.revision(message);
      return;
    case 'hasten':
      revisions.hasten(message.number, message.change);
      return;
    case 'hastened':
      revisions.hastened(message.number);
      return;
    case 'revoked':
      revoked.take(message.entries);
      return;
    case 'listed':
      if (listed !== undefined) takeListed(listed, message.news);
      return;
    case 'pass':
      void engine.revocations.whenTaken().then(() => tell({ kind: 'passed', number: message.number }));
      return;
    case 'pulse':
      revoked.pulse(message.revoked);
      revisions.sent(message.sent);
      tell({ kind: 'pulse', number: message.number });
      return;
    case 'answer':
      watcher.answered(message.number, message.answer);
      return;
    case 'serving':
      answering.setServing(message.isServing);
      return;
    case 'connection':
      takeConnection(message.number, socket, { tell, take: (taken) => answering.take(taken) });
      return;
    case 'measure':
      void measure(parts, (metrics) => tell({ kind: 'measured', number: message.number, metrics }));
      return;
    case 'drain':
      void answering
        .drain(message.timeoutMs)
        .then(() => measure(parts, (metrics) => tell({ kind: 'drained', metrics })));
      return;
    case 'start':
    case 'end':
      return;
  }
}

async function measure(
  { io }: Parts,
  done: (metrics: Awaited<ReturnType<ServiceIo['observation']['metrics']['snapshots']>>) => void,
): Promise<void> {
  done(await io.observation.metrics.snapshots());
}

function takeListed(list: RevocationListHandle, news: ListNews): void {
  switch (news.kind) {
    case 'read':
      void list.take(readAlready(news.reading), news.ageMs);
      return;
    case 'confirmed':
      list.confirm();
      return;
    case 'failed':
      list.fail(news.why);
      return;
  }
}

function* readAlready<T>(reading: T): Steps<T> {
  yield;
  return reading;
}

/** What every process would say of every change the watcher says once; what went wrong is told by whoever it befell. */
function withQuietLogger(io: ServiceIo): ServiceIo {
  const { logger } = io.observation;
  const quiet: Logger = { ...logger, info: (fields, message) => logger.debug(fields, message) };
  return { ...io, observation: { ...io.observation, logger: quiet } };
}

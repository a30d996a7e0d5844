import { randomBytes } from 'node:crypto';
import type { Config } from '../config/settings.ts';
import { createServingEngine, type ServingEngine } from '../create-serving-engine.ts';
import { createSharedStores } from '../create-shared-stores.ts';
import type { Deciding } from '../deciding.ts';
import { readDpopNonceKey } from '../dpop-nonce-key.ts';
import type { ServiceIo } from '../running-service.ts';
import { systemPause } from '../system-ports.ts';
import { userAgent } from '../version.ts';
import { compileAnswers, type AnswerQuestion } from './answer-questions.ts';
import { createConnectionPort } from './connection-port.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { createPolicyState, type PolicyState } from './policy-state.ts';
import { createRevocationRelay } from './revocation-relay.ts';
import { createSharedFetches, type SharedFetches } from './shared-fetches.ts';
import { createWatchedEngine } from './watched-engine.ts';
import { startWorkerProcess } from './worker-process.ts';

/** This process watches, and as many others as are configured answer. They start at once, beside what this one does to begin with. */
export async function createWatched(config: Config, io: ServiceIo): Promise<Deciding> {
  // Before anything is started that would have to be ended.
  const dpopNonceKey = (await readDpopNonceKey(config.dpopNonceKeyFile)) ?? randomBytes(32);
  const { clock } = io;
  const stores = await createSharedStores(config, io);
  const state = createPolicyState();
  const answers = Promise.withResolvers<AnswerQuestion>();
  const relay = createRevocationRelay(
    stores.list('revoked'),
    { tell: (message) => fleet.tell(message), passed: () => fleet.passed() },
    { isShared: config.redisUrl !== undefined, clock },
  );
  const fleet: Fleet = startFleet(config, io, state, {
    answer: async (question) => (await answers.promise)(question),
    introduce: (worker) => [{ kind: 'start', worker, config, dpopNonceKey }, ...relay.whole()],
    revoked: () => relay.readState(),
    onUnrouted: (policy) => own.engine.noteUnrouted(policy),
  });
  const fetches = Promise.withResolvers<SharedFetches>();
  const own: ServingEngine = await createServingEngine(config, io, userAgent, stores, {
    http: (client) => {
      const shared = createSharedFetches(client, clock);
      fetches.resolve(shared);
      return { ...client, ...shared };
    },
    revoked: relay.list,
    dpopNonceKey,
  });
  answers.resolve(compileAnswers(await fetches.promise, own.engine.replays));
  const engine = createWatchedEngine({ own: own.engine, fleet, state, relay });
  const port = createConnectionPort((socket) => fleet.take(socket));
  return {
    engine,
    answering: {
      listen: async (address) => {
        await fleet.started;
        return port.listen(address);
      },
      setServing: (isServing) => fleet.setServing(isServing),
      drain: async (timeoutMs) => {
        await port.close();
        return fleet.drain(timeoutMs);
      },
      close: async () => {
        await port.close();
        await fleet.close();
      },
    },
    status: () => ({ ...own.status(), ...engine.status() }),
    outage: () => (fleet.status().serving === 0 ? 'no worker serves' : undefined),
    close: () => own.close(),
  };
}

function startFleet(
  config: Config,
  { clock, timers, random, observation: { logger, metrics } }: ServiceIo,
  state: PolicyState,
  ports: Pick<Parameters<typeof createFleet>[0], 'answer' | 'introduce' | 'revoked' | 'onUnrouted'>,
): Fleet {
  const fleet = createFleet({
    count: config.workers,
    startProcess: startWorkerProcess,
    clock,
    timers,
    random,
    logger,
    metrics,
    settings: { serviceNamespace: config.namespace },
    pause: systemPause,
    state,
    ...ports,
  });
  metrics.observeProcesses(() => fleet.metrics());
  return fleet;
}

import type { HttpClient, ReplayStore, SharedList } from '../core/ports.ts';
import { createEngine, type Engine, type EngineSettings, type EngineStatus } from '../engine/engine.ts';
import { createPasswordThreads } from '../passwords/password-threads.ts';
import type { Config } from './config/settings.ts';
import type { SharedStores } from './create-shared-stores.ts';
import { readDpopNonceKey } from './dpop-nonce-key.ts';
import { createHttpClient } from './http-client.ts';
import type { ServiceIo } from './running-service.ts';
import { startReviews } from './start-reviews.ts';
import { passwordThreadCount, systemPause } from './system-ports.ts';

export interface ServingEngine {
  readonly engine: Engine;
  /** The engine's, and that of what it shares with others. */
  status(): EngineStatus;
  /** Ends the engine and what stands behind its ports. */
  close(): void;
}

/** What the engines of several processes have together, in place of what each would have by itself. */
export interface EngineCommons {
  /** Of what is fetched, and what is asked by itself. */
  readonly http: (own: HttpClient) => HttpClient;
  readonly replays?: ReplayStore;
  readonly revoked: SharedList;
  readonly dpopNonceKey: Uint8Array;
  readonly onUnroutedCheck?: (policy: string) => void;
}

/** The engine with everything behind its ports: what goes out to others, and what is computed in threads. */
export async function createServingEngine(
  config: Config,
  io: ServiceIo,
  userAgent: string,
  stores: SharedStores,
  commons?: EngineCommons,
): Promise<ServingEngine> {
  const { clock, timers, random, observation } = io;
  const revoked = commons?.revoked ?? (config.redisUrl === undefined ? undefined : stores.list('revoked'));
  const reviews = startReviews(config, io, userAgent);
  const passwords = createPasswordThreads({ threads: config.workers > 1 ? 1 : passwordThreadCount() });
  const { logger, metrics } = observation;
  const http = createHttpClient({
    allowPrivateAddresses: config.allowPrivateAddresses,
    allowedAddresses: config.allowedPrivateAddresses,
    userAgent,
    timers,
  });
  const nonceKey = commons?.dpopNonceKey ?? (await readDpopNonceKey(config.dpopNonceKeyFile));
  const engine = createEngine(toEngineSettings(config, nonceKey), {
    clock,
    timers,
    random,
    logger,
    http: commons?.http(http) ?? http,
    passwords,
    reviews,
    replays: commons?.replays ?? stores.replays,
    sharedRevocations: revoked,
    onUnroutedCheck: commons?.onUnroutedCheck,
    events: { ...metrics.identity, ...metrics.expressions },
    pause: systemPause,
  });
  return {
    engine,
    status: () => ({ ...engine.status(), store: stores.status() }),
    close: () => {
      engine.close();
      revoked?.close();
      passwords.close();
      void reviews.close();
      stores.close();
    },
  };
}

function toEngineSettings(config: Config, dpopNonceKey: Uint8Array | undefined): EngineSettings {
  return {
    trustedHops: config.trustedHops,
    maxHeaders: config.maxHeaders,
    serviceNamespace: config.namespace,
    hostGrants: config.hostGrants.size === 0 ? undefined : config.hostGrants,
    ownedHeaders: config.ownedHeaders,
    forwardedClientCertFrom: config.forwardedClientCertFrom,
    shadowAll: config.shadowAll,
    keyLoadTimeoutMs: config.keyLoadTimeout,
    dpopNonceKey,
    identity: {
      tokenCacheEntries: config.tokenCacheEntries,
      dpopReplayEntries: config.dpopReplayEntries,
      refreshIntervalMs: config.keyRefreshInterval,
      staleWindowMs: config.keyStaleWindow,
      fetchTimeoutMs: config.keyFetchTimeout,
      tokenReviewTtlMs: config.tokenReviewTtl,
    },
    revocations: {
      maxEntries: config.revocationEntries,
      retentionMs: config.revocationRetention,
      signalRetentionMs: config.signalRetention,
      graceMs: config.revocationsGrace,
      whenUnavailable: config.revocationsUnavailable,
    },
  };
}

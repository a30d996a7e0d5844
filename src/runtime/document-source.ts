import { hostname } from 'node:os';
import type { Engine } from '../engine/engine.ts';
import { createFolderSource } from '../files/folder-source.ts';
import { createApiClient } from '../kubernetes/api-client.ts';
import { openClusterConnection } from '../kubernetes/cluster-connection.ts';
import { createClusterSource } from '../kubernetes/cluster-source.ts';
import { createPublisher, type Publisher } from '../kubernetes/publisher.ts';
import { materialRefsOf } from '../policy/material-refs.ts';
import type { Config } from './config/settings.ts';
import type { ServiceIo } from './running-service.ts';

/** Where the documents come from, at work. */
export interface DocumentSource {
  /** Resolves once everything was read for the first time and what is good of it is in force. */
  readonly ready: Promise<void>;
  /** When it was last read without a failure, or confirmed by the API server, milliseconds since the epoch; undefined before the first time. */
  lastReadAt(): number | undefined;
  /** Why it cannot be read right now, in a line; undefined while it can. */
  failure(): string | undefined;
  close(): Promise<void>;
}

const goodbyeMs = 2000;

/** Starts to read the folder, or the cluster. Throws a Failure where the folder or the cluster's configuration cannot be read. */
export function startDocumentSource(
  config: Config,
  io: ServiceIo,
  engine: Engine,
  userAgent: string,
): Promise<DocumentSource> {
  return config.policies === undefined
    ? startCluster(config, io, engine, userAgent)
    : startFolder(config.policies, io, engine);
}

async function startFolder(
  folder: string,
  { clock, timers, observation }: ServiceIo,
  engine: Engine,
): Promise<DocumentSource> {
  const first = Promise.withResolvers<undefined>();
  let lastReadAt: number | undefined;
  const source = await createFolderSource({
    folder,
    timers,
    logger: observation.logger,
    onRead: () => {
      lastReadAt = clock.now();
    },
    onReading: (reading) => {
      void engine.apply(reading).then(() => {
        if (engine.status().ready) first.resolve(undefined);
      });
    },
  });
  return {
    ready: first.promise,
    lastReadAt: () => lastReadAt,
    failure: () => undefined,
    close: async () => source.close(),
  };
}

async function startCluster(config: Config, io: ServiceIo, engine: Engine, userAgent: string): Promise<DocumentSource> {
  const { clock, timers, random, observation } = io;
  const connection = await openClusterConnection(config.kubeconfig, clock);
  const api = createApiClient({ connection, timers, userAgent });
  const ports = { api, clock, timers, random, logger: observation.logger };
  const publisher = config.publishStatus ? startPublisher(config, engine, ports) : undefined;
  const source = createClusterSource({
    scope: {
      namespaces: config.watchNamespaces,
      policySelector: config.policySelector,
      clusterKinds: config.clusterKinds,
    },
    sink: {
      applyChange: (change) => engine.applyChange(change),
      referencesOf: (document) => materialRefsOf(document, { serviceNamespace: config.namespace }),
    },
    ports,
    materialTimeoutMs: config.keyLoadTimeout,
    onObject: (change) => publisher?.note(change),
  });
  const stopListening = engine.onChange(({ keys }) => publisher?.changed(keys));
  return {
    ready: source.ready,
    lastReadAt: () => source.confirmedAt(),
    failure: () => source.states().find(({ failure }) => failure !== undefined)?.failure,
    close: async () => {
      stopListening();
      source.close();
      // What is not given back runs out by itself: an API server that is away must not use up the pod's grace period.
      const late = new Promise<void>((resolve) => void timers.after(goodbyeMs, resolve));
      await Promise.race([publisher?.close(), late]);
      await api.close();
    },
  };
}

function startPublisher(
  config: Config,
  engine: Engine,
  ports: Parameters<typeof createPublisher>[0]['ports'],
): Publisher {
  return createPublisher({
    namespace: config.namespace,
    leaseName: config.leaseName,
    identity: config.podName === '' ? hostname() : config.podName,
    documentStatus: (key) => engine.documentStatus(key),
    providerCondition: (key) => engine.providerCondition(key),
    ports,
  });
}

import { hostname } from 'node:os';
import type { Engine } from '../engine/engine.ts';
import { createFolderSource } from '../files/folder-source.ts';
import { createApiClient } from '../kubernetes/api-client.ts';
import { openClusterConnection } from '../kubernetes/cluster-connection.ts';
import { createClusterSource } from '../kubernetes/cluster-source.ts';
import { createPublisher, type Publisher } from '../kubernetes/publisher.ts';
import type { Config } from './config/settings.ts';
import type { ServiceIo } from './running-service.ts';

/** Where the documents come from, at work. */
export interface DocumentSource {
  /** Resolves once everything was read for the first time and what is good of it is in force. */
  readonly ready: Promise<void>;
  /** Why nothing is in force yet; undefined where there is nothing to say. */
  waitsFor(): string | undefined;
  close(): Promise<void>;
}

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
  { timers, observation }: ServiceIo,
  engine: Engine,
): Promise<DocumentSource> {
  const first = Promise.withResolvers<undefined>();
  const source = await createFolderSource({
    folder,
    timers,
    logger: observation.logger,
    onRead: () => engine.noteRead(),
    onReading: (reading) => {
      void engine.apply(reading).then(() => {
        if (engine.status().ready) first.resolve(undefined);
      });
    },
  });
  return { ready: first.promise, waitsFor: () => undefined, close: async () => source.close() };
}

async function startCluster(config: Config, io: ServiceIo, engine: Engine, userAgent: string): Promise<DocumentSource> {
  const { clock, timers, random, observation } = io;
  const connection = await openClusterConnection(config.kubeconfig);
  const api = createApiClient({ connection, timers, userAgent });
  const ports = { api, clock, timers, random, logger: observation.logger };
  const publisher = config.publishStatus ? startPublisher(config, engine, ports) : undefined;
  const source = createClusterSource({
    scope: {
      namespaces: config.watchNamespaces,
      policySelector: config.policySelector,
      clusterKinds: config.clusterKinds,
    },
    sink: engine,
    ports,
    materialTimeoutMs: config.keyLoadTimeout,
    onObject: (change) => publisher?.note(change),
  });
  const stopListening = engine.onChange((keys) => publisher?.changed(keys));
  const { clusterReads } = observation.metrics;
  const stopMeasuring = clusterReads(() => ({ confirmedAt: source.confirmedAt(), collections: source.states() }));
  return {
    ready: source.ready,
    waitsFor: () => source.states().find(({ failure }) => failure !== undefined)?.failure,
    close: async () => {
      stopMeasuring();
      stopListening();
      source.close();
      await publisher?.close();
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

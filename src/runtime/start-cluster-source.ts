import { hostname } from 'node:os';
import type { Engine } from '../engine/engine.ts';
import { createApiClient } from '../kubernetes/api-client.ts';
import { openClusterConnection } from '../kubernetes/cluster-connection.ts';
import { createClusterSource, type DocumentSink, type ClusterScope } from '../kubernetes/cluster-source.ts';
import { inTime } from '../kubernetes/in-time.ts';
import { followRevocationsMap } from '../kubernetes/revocations-map.ts';
import { createDocumentThread } from '../files/document-thread.ts';
import { createServerOutage } from '../kubernetes/server-outage.ts';
import { createPublisher, type Publisher } from '../kubernetes/publisher.ts';
import type { Config } from './config/settings.ts';
import { createDocumentParser, type DocumentParser } from './document-parser.ts';
import type { DocumentSource } from './document-source.ts';
import type { ServiceIo } from './running-service.ts';

const goodbyeMs = 2000;

/** Follows the documents of the cluster, and publishes what becomes of them. Throws a Failure where its configuration cannot be read. */
export async function startClusterSource(
  config: Config,
  io: ServiceIo,
  engine: Engine,
  userAgent: string,
): Promise<DocumentSource> {
  const { clock, timers, random, observation } = io;
  const connection = await openClusterConnection(config.kubeconfig, clock);
  const api = createApiClient({ connection, timers, userAgent });
  const { logger } = observation;
  const ports = { api, clock, timers, random, logger, server: createServerOutage(logger) };
  const readings = {
    readingOf: (key: string) => source.readingOf(key),
    unreadableOf: (key: string) => source.unreadableOf(key),
  };
  const publisher = config.publishStatus ? startPublisher(config, engine, readings, ports) : undefined;
  const scope = {
    namespaces: config.watchNamespaces,
    policySelector: config.policySelector,
    clusterKinds: config.clusterKinds,
  };
  const parser = openParser(config, timers);
  // A policy that is not among these has no status, and this line is where its author is told why.
  logger.info({ ...sayScope(scope), publishStatus: config.publishStatus }, 'reads policies from the API server');
  const source = createClusterSource({
    scope,
    sink: sinkOf(engine, parser),
    ports,
    materialTimeoutMs: config.keyLoadTimeout,
    onObject: (change) => publisher?.note(change),
    onReference: () => publisher?.referenceRead(),
  });
  const list = config.revocationsConfigMap && engine.revocations.openList('configMap');
  const revoked = list && config.revocationsConfigMap && followRevocationsMap(config.revocationsConfigMap, list, ports);
  observation.metrics.observeWatches(() => [...source.states(), ...(revoked ? [revoked.state()] : [])]);
  const stopListening = engine.onChange(({ keys }) => {
    source.stood(keys);
    publisher?.changed(keys);
  });
  return {
    // Where the server does not answer about it, credentials are judged as revocationsUnavailable says.
    ready: Promise.all([source.ready, revoked && inTime(revoked.answered, config.keyLoadTimeout, timers)]).then(
      () => undefined,
    ),
    lastReadAt: () => source.confirmedAt(),
    failure: () => source.states().find(({ failure }) => failure !== undefined)?.failure,
    close: async () => {
      stopListening();
      source.close();
      parser.close();
      revoked?.close();
      // What is not given back runs out by itself: an API server that is away must not use up the pod's grace period.
      const late = new Promise<void>((resolve) => void timers.after(goodbyeMs, resolve));
      await Promise.race([publisher?.close(), late]);
      await api.close();
    },
  };
}

function sinkOf(engine: Engine, parser: DocumentParser): DocumentSink {
  return {
    applyChange: (change) => engine.applyChange(change),
    hasten: (change) => engine.hasten(change),
    closeUnrouted: (namespaces) => engine.closeUnrouted(namespaces),
    referencesInForce: (source) => engine.referencesOf(source),
    isHeavy: (document) => parser.isHeavy(document),
    parse: (document) => parser.parse(document),
    unread: (document) => parser.unread(document),
    referencesOf: (document) => parser.referencesOf(document),
  };
}

function openParser({ namespace }: Config, timers: ServiceIo['timers']): DocumentParser & { close(): void } {
  const settings = { serviceNamespace: namespace };
  const thread = createDocumentThread(timers, settings);
  return { ...createDocumentParser(thread, settings), close: () => thread.close() };
}

/** What of the cluster is read, in words. */
function sayScope({ namespaces, policySelector, clusterKinds }: ClusterScope): Readonly<Record<string, unknown>> {
  return {
    namespaces: namespaces.length === 0 ? 'all' : namespaces,
    policySelector: policySelector === '' ? 'none: every AccessPolicy' : policySelector,
    clusterKinds,
  };
}

function startPublisher(
  config: Config,
  engine: Engine,
  readings: Pick<Parameters<typeof createPublisher>[0], 'readingOf' | 'unreadableOf'>,
  ports: Parameters<typeof createPublisher>[0]['ports'],
): Publisher {
  return createPublisher({
    namespace: config.namespace,
    leaseName: config.leaseName,
    identity: config.podName === '' ? hostname() : config.podName,
    isShadowAll: config.shadowAll,
    documentStatus: (key) => engine.documentStatus(key),
    providerCondition: (key) => engine.providerCondition(key),
    missingMaterials: (key) => engine.missingMaterials(key),
    providersOf: (key) => engine.providersOf(key),
    ...readings,
    ports,
  });
}

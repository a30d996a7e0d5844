import type { Engine } from '../engine/engine.ts';
import { createFolderSource } from '../files/folder-source.ts';
import type { Config } from './config/settings.ts';
import type { DocumentSource } from './document-source.ts';
import type { ServiceIo } from './running-service.ts';

/** Starts to read the folder, or the cluster. Throws a Failure where the folder or the cluster's configuration cannot be read. */
export async function startDocumentSource(
  config: Config,
  io: ServiceIo,
  engine: Engine,
  userAgent: string,
): Promise<DocumentSource> {
  if (config.policies !== undefined) return startFolder(config.policies, config, io, engine);
  // The clients of Kubernetes and of HTTP behind it take tens of megabytes: loaded only where there is a cluster.
  const { startClusterSource } = await import('./start-cluster-source.ts');
  return startClusterSource(config, io, engine, userAgent);
}

async function startFolder(
  folder: string,
  { namespace }: Config,
  { clock, timers, observation }: ServiceIo,
  engine: Engine,
): Promise<DocumentSource> {
  const first = Promise.withResolvers<undefined>();
  let lastReadAt: number | undefined;
  const source = await createFolderSource({
    folder,
    clock,
    timers,
    settings: { serviceNamespace: namespace },
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

import type { RunningReviews } from '../kubernetes/reviews.ts';
import { createReviews } from '../kubernetes/reviews.ts';
import type { KubernetesApi } from '../kubernetes/kubernetes-api.ts';
import type { Config } from './config/settings.ts';
import type { ServiceIo } from './running-service.ts';

/** A request waits for it, and a proxy for that. */
const timeoutMs = 2000;
/** A review is small. */
const maxBytes = 1024 * 1024;

/**
 * The reviews of the cluster: that of kubeconfig, else that of the pod, also where the policies are those of a folder. Nothing is opened before
 * the first question; where there is no cluster, that one is told so.
 */
export function startReviews({ kubeconfig }: Config, io: ServiceIo, userAgent: string): RunningReviews {
  const { clock, timers, random, observation } = io;
  const open = async (): Promise<KubernetesApi> => {
    // The clients of Kubernetes and of HTTP behind it take tens of megabytes: loaded only where somebody asks.
    const [{ openClusterConnection }, { createApiClient }] = await Promise.all([
      import('../kubernetes/cluster-connection.ts'),
      import('../kubernetes/api-client.ts'),
    ]);
    // A connection of its own: whatever stalls a watch stalls no request.
    const connection = await openClusterConnection(kubeconfig, clock);
    return createApiClient({ connection, timers, userAgent, timeoutMs, maxBytes });
  };
  const { logger, metrics } = observation;
  return createReviews({ open, clock, timers, random, logger, events: metrics.reviews });
}

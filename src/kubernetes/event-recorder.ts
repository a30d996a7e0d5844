import type { JsonObject } from '../core/json.ts';
import { isApiFailure, sayWhyNotWritten } from './api-failure.ts';
import type { ObjectMeta } from './api-object.ts';
import { toMicroTime } from './micro-time.ts';
import type { ReflectorPorts } from './reflector.ts';
import { createTokenBucket } from './token-bucket.ts';

/** Tells people what became of an object (`kubectl describe` shows it). */
export interface EventRecorder {
  /** Never rejects: an Event is a courtesy. */
  record(
    about: EventSubject,
    event: { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string },
  ): Promise<void>;
}

export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly meta: ObjectMeta;
}

/** The API server keeps each for an hour: ten thousand policies that change at once must not fill it. */
const limits = { burst: 300, refillMs: 1000 };

/** A namespace in which Events may not be made, because a right is missing or it is being deleted, is left alone for so long. */
const forbiddenMs = 10 * 60_000;

/** `identity` is the pod that says it. Of more Events than the API server should bear the rest is left out; status has everything. */
export function createEventRecorder({ api, clock, random, logger }: ReflectorPorts, identity: string): EventRecorder {
  const bucket = createTokenBucket(limits, clock);
  /** By namespace: until when nothing is tried there, monotonic milliseconds. */
  const forbidden = new Map<string, number>();
  let isFlooding = false;
  return {
    record: async ({ apiVersion, kind, meta }, { type, reason, message }) => {
      // Events about objects of the cluster are kept in the namespace default.
      const namespace = meta.namespace === '' ? 'default' : meta.namespace;
      if (clock.monotonic() < (forbidden.get(namespace) ?? 0)) return;
      forbidden.delete(namespace);
      const isTooMany = bucket.take() > 0;
      if (isTooMany && !isFlooding) logger.info({}, 'more Events than are written: some are left out');
      isFlooding = isTooMany;
      if (isTooMany) return;
      const event: JsonObject = {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { namespace, name: nameOf(meta.name, random.id()) },
        eventTime: toMicroTime(clock.now()),
        reportingController: 'portcullis.dev/portcullis',
        reportingInstance: identity.slice(0, 128),
        action: 'Judge',
        type,
        reason,
        note: clip(message),
        regarding: {
          apiVersion,
          kind,
          ...(meta.namespace === '' ? {} : { namespace: meta.namespace }),
          name: meta.name,
          uid: meta.uid,
          resourceVersion: meta.resourceVersion,
        },
      };
      try {
        await api.request({
          method: 'POST',
          path: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
          body: event,
        });
      } catch (thrown) {
        const fields = { object: `${kind} ${meta.namespace}/${meta.name}`, error: sayWhyNotWritten(thrown) };
        if (isApiFailure(thrown, 'api_forbidden')) {
          forbidden.set(namespace, clock.monotonic() + forbiddenMs);
          const why =
            'no Events are written in the namespace for ten minutes: it is being deleted, or the service account lacks create on events.events.k8s.io';
          logger.warn({ ...fields, namespace }, why);
        } else logger.debug(fields, 'an Event could not be written');
      }
    },
  };
}

/** A DNS name of at most 253 characters, whatever the object is called. */
function nameOf(object: string, id: string): string {
  return `${object.slice(0, 230).replace(/[.-]+$/, '')}.${id.replaceAll('-', '').slice(0, 16)}`;
}

/** The API server takes 1024 bytes; a UTF-16 unit is no more than three. */
function clip(message: string): string {
  return Buffer.byteLength(message) > 1024 ? message.slice(0, 341) : message;
}

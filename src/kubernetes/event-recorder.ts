import { messageOf } from '../core/failure.ts';
import type { JsonObject } from '../core/json.ts';
import { isApiFailure } from './api-failure.ts';
import type { ObjectMeta } from './api-object.ts';
import { toMicroTime } from './micro-time.ts';
import type { ReflectorPorts } from './reflector.ts';

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

/** `identity` is the pod that says it. */
export function createEventRecorder({ api, clock, random, logger }: ReflectorPorts, identity: string): EventRecorder {
  let isForbidden = false;
  return {
    record: async ({ apiVersion, kind, meta }, { type, reason, message }) => {
      if (isForbidden) return;
      // Events about objects of the cluster are kept in the namespace default.
      const namespace = meta.namespace === '' ? 'default' : meta.namespace;
      const event: JsonObject = {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { namespace, name: `${meta.name}.${random.id().replaceAll('-', '').slice(0, 16)}`.slice(-253) },
        eventTime: toMicroTime(clock.now()),
        reportingController: 'portcullis.dev/portcullis',
        reportingInstance: identity.slice(0, 128),
        action: 'Judge',
        type,
        reason,
        note: message.slice(0, 1024),
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
        isForbidden = isApiFailure(thrown, 'api_forbidden');
        const fields = { object: `${kind} ${meta.namespace}/${meta.name}`, error: messageOf(thrown) };
        if (isForbidden)
          logger.warn(fields, 'no Events are written: the service account needs create on events.events.k8s.io');
        else logger.debug(fields, 'an Event could not be written');
      }
    },
  };
}

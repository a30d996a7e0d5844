import type { JsonObject } from '../core/json.ts';
import { memberObject, readMeta } from './api-object.ts';
import { toMicroTime } from './micro-time.ts';

/** A Lease (coordination.k8s.io/v1) as far as we read it. */
export interface Lease {
  readonly name: string;
  readonly resourceVersion: string;
  /** Empty where nobody holds it. */
  readonly holder: string;
  readonly durationMs: number;
  /** Changes whenever the holder renews it. */
  readonly renewTime: string;
  readonly acquireTime: string;
  readonly transitions: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Whatever a Lease says of itself: one that somebody wrote by hand must not be waited for for years. */
const maxLeaseMs = 120_000;

/** The path of the Leases of a namespace, or of one of them. */
export function leasePath(namespace: string, name?: string): string {
  const all = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  return name === undefined ? all : `${all}/${name}`;
}

/** Throws an ApiFailure where the object has no name or version. */
export function readLease(object: JsonObject): Lease {
  const { name, resourceVersion } = readMeta(object);
  const { holderIdentity, leaseDurationSeconds, renewTime, acquireTime, leaseTransitions } = memberObject(
    object,
    'spec',
  );
  const annotations = Object.entries(memberObject(memberObject(object, 'metadata'), 'annotations'));
  return {
    name,
    resourceVersion,
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    durationMs: typeof leaseDurationSeconds === 'number' ? Math.min(leaseDurationSeconds * 1000, maxLeaseMs) : 0,
    renewTime: typeof renewTime === 'string' ? renewTime : '',
    acquireTime: typeof acquireTime === 'string' ? acquireTime : '',
    transitions: typeof leaseTransitions === 'number' ? leaseTransitions : 0,
    annotations: Object.fromEntries(
      annotations.flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
    ),
  };
}

export interface LeaseContent {
  readonly namespace: string;
  readonly name: string;
  readonly holder: string;
  readonly durationSeconds: number;
  readonly now: number;
  readonly acquireTime?: string;
  readonly transitions?: number;
  /** Of the version that this one replaces; absent for a new Lease. */
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The object to send for it. */
export function writeLease(content: LeaseContent): JsonObject {
  const { namespace, name, holder, durationSeconds, now, resourceVersion, labels, annotations } = content;
  const renewTime = toMicroTime(now);
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      namespace,
      name,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: durationSeconds,
      renewTime,
      acquireTime: content.acquireTime === undefined || content.acquireTime === '' ? renewTime : content.acquireTime,
      leaseTransitions: content.transitions ?? 0,
    },
  };
}

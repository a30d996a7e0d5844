import type { Problem } from './problem.ts';
import type { RevocationStatus } from './revocation.ts';

/** What the service serves right now, for the admin page, metrics and (in a cluster) status conditions. Holds no secret. */
export interface ServiceStatus {
  /** True once policies and (bounded by a time-out) keys were loaded; never false again before shutdown (promise 5). */
  readonly ready: boolean;
  /** The number of the snapshot in force; 0 before the first. Goes up with every change of what is served. */
  readonly revision: number;
  /** Milliseconds since the epoch at which the source was last read without a failure; undefined before the first time. */
  readonly lastReadAt: number | undefined;
  readonly documents: readonly DocumentStatus[];
  readonly providers: readonly ProviderCondition[];
  /** Problems that belong to no document that could be named (a file that is not YAML). */
  readonly problems: readonly Problem[];
  /** What checks come by: the setting `transport`. Absent in the status of an engine alone. */
  readonly transport?: string;
  /** The processes that answer checks; absent where it is this one alone. */
  readonly workers?: WorkersStatus;
  /** What replicas share their memory through; absent where nothing is shared. */
  readonly store?: StoreStatus | undefined;
  /** Absent in the status of an engine alone. */
  readonly revocations?: RevocationStatus;
}

export interface WorkersStatus {
  readonly wanted: number;
  /** Those that take connections. */
  readonly serving: number;
  /** The last revision of the policies that was sent to them, and the one that all who serve have in force. */
  readonly sent: number;
  readonly inForce: number;
}

export interface StoreStatus {
  /** `redis://redis.example:6379/0`, without user and password. */
  readonly address: string;
  readonly isUp: boolean;
  /** Why it is not up; undefined while it is. Holds no secret. */
  readonly lastError: string | undefined;
}

export interface DocumentStatus {
  /** `AccessPolicy shop/orders`. */
  readonly key: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** False where the newest version of the document was refused. */
  readonly accepted: boolean;
  /**
   * `current`: the newest version serves. `last-good`: it was refused and the one before serves.
   * `refused`: none serves, and what the document would have governed is denied with 503.
   */
  readonly serving: 'current' | 'last-good' | 'refused';
  readonly problems: readonly Problem[];
  /** Of the newest version, where the source has versions (a cluster). */
  readonly version: DocumentVersion | undefined;
  /** The generation that serves; undefined where none does, or the source has no versions. */
  readonly servedGeneration: number | undefined;
  /** The hosts of an accepted or refused policy that are not its own (S10); of documents without an age, of those in shadow mode alone. */
  readonly conflicts: readonly HostConflict[];
  /** The routes that a policy is attached to, in its order. */
  readonly targets: readonly TargetStatus[];
  /** True where checks for the hostnames of its routes came lately whose proxy did not say which route it chose (S7). */
  readonly isUnrouted: boolean;
}

/** A route that a policy is attached to. */
export interface TargetStatus {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The name of the rule; empty for the whole route. */
  readonly section: string;
  readonly found: 'found' | 'no-route' | 'no-section';
  /** What the route is attached to; empty where it is not known. */
  readonly parents: readonly RouteParent[];
}

/** A Gateway, as a route names it. */
export interface RouteParent {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The listener; undefined: all that take the route. */
  readonly sectionName: string | undefined;
  readonly port: number | undefined;
}

/** Which version of an object of a cluster a document is. */
export interface DocumentVersion {
  readonly uid: string;
  readonly generation: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** A host that a policy names and does not govern. */
export interface HostConflict {
  readonly host: string;
  /** The namespace that owns it; undefined where the operator would have to grant it, and grants it to nobody. */
  readonly owner: string | undefined;
}

export interface ProviderCondition {
  /** `IdentityProvider shop/okta`. */
  readonly key: string;
  readonly keys: number;
  readonly keyAgeSeconds: number | undefined;
  readonly lastError: string | undefined;
  /** What it refers to and cannot use; part of `lastError`. */
  readonly unusable?: string | undefined;
  /** True for one that needs no keys: somebody else verifies. */
  readonly isKeyless?: boolean | undefined;
  /** Of a provider that asks somebody about each credential. */
  readonly isAnswering?: boolean | undefined;
  /** Of such a one: false where nothing was asked yet, so that a right that is missing is not known; absent where that is all the same. */
  readonly isAsked?: boolean | undefined;
}

/** A key of a ConfigMap that a provider refers to and that is not there. */
export interface MissingMaterial {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  /** True where the whole object is missing, and not only its key. */
  readonly isWhole: boolean;
}

/** `HTTPRoute shop/orders`, with `, rule admin` where one rule is meant. */
export function formatTarget({ kind, namespace, name, section }: Omit<TargetStatus, 'found' | 'parents'>): string {
  return `${kind} ${namespace}/${name}${section === '' ? '' : `, rule ${section}`}`;
}

import type { JsonObject } from '../core/json.ts';
import type { DocumentStatus, MissingMaterial, ProviderCondition } from '../core/status.ts';

/** A condition as Kubernetes has it (KEP-1623), without what depends on when it came to be. */
export interface ConditionVerdict {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: ConditionReason;
  readonly message: string;
}

const conditionTypes = [
  'Accepted',
  'ResolvedRefs',
  'Programmed',
  'Conflicted',
  'Unrouted',
  'KeysLoaded',
  'Answering',
] as const;
export type ConditionType = (typeof conditionTypes)[number];

/** False for a condition that somebody else writes. */
export function isConditionType(type: string): type is ConditionType {
  return conditionTypes.some((one) => one === type);
}

/** Every reason that a condition can have, with what it means; docs/status.md lists them. */
export const conditionReasons = {
  Accepted: 'The newest version was accepted.',
  Invalid: 'The newest version has mistakes, which status.problems lists.',
  Unsupported: 'The newest version uses what this version of Portcullis does not build.',
  RefsNotResolved: 'The newest version refers to something that does not exist or was refused.',
  HostsNotOwned: 'None of the hosts belongs to the namespace of the policy.',
  ResolvedRefs: 'Everything that it refers to is there.',
  RefNotFound: 'Something that it refers to does not exist.',
  RefRefused: 'Something that it refers to was refused.',
  RefPending: 'What it refers to is not read yet.',
  RefNotReadable: 'What it refers to cannot be read.',
  ProviderNotResolved:
    'A provider that it uses has no usable keys, or refers to something that is not there: it vouches for nobody.',
  TargetNotFound:
    'A route that it is attached to, or a rule of one, does not exist; it stands ready for the checks that name it.',
  TargetPending: 'The routes that it is attached to are not read yet.',
  TargetNotReadable: 'A route that it is attached to cannot be read: its hostnames are not known.',
  Programmed: 'Every replica serves the newest version.',
  Pending: 'Not every replica has taken the newest version in.',
  LastGoodServed: 'The newest version was refused and the last good one serves.',
  ProviderUnavailable:
    'A provider of the version that serves is gone, refused or one of two of an issuer: rules that need it answer 503.',
  Denying: 'No version serves: requests that it would have governed are denied.',
  ReplicasDisagree: 'The newest version was refused, and replicas serve different older ones or deny.',
  Shadow: 'The policy is in shadow mode: it is evaluated and recorded, and changes no answer.',
  HostConflict: 'Some of its hosts belong to another namespace, or are not granted.',
  RouteMetadataMissing:
    'Checks for the hostnames of its routes came whose proxy does not say which route it chose, and were denied.',
  KeysLoaded: 'Its keys are in use.',
  KeysMissing: 'None of its keys is in use: it vouches for nobody.',
  KeysStale: 'The last fetch failed; keys fetched before it are in use.',
  KeysIncomplete: 'Some of its keys are refused; the others are in use.',
  Answering: 'Who is asked about credentials answers, as far as it was asked.',
  NotAsked: 'Nobody was asked about credentials yet: whether a right is missing shows with the first of them.',
  NotAnswering: 'Who is asked about credentials gave no answer the last time: credentials are answered with 503.',
} as const;
export type ConditionReason = keyof typeof conditionReasons;

/** How the living replicas stand to what the leader serves of a document, the leader among them. */
export interface Agreements {
  readonly agreeing: number;
  readonly pending: number;
  readonly disagreeing: number;
}

/** How far something that a document refers to could be read. */
export interface ReferenceReading {
  /** True once the server said what there is. */
  readonly isRead: boolean;
  /** Why it cannot be read now; undefined while it can. */
  readonly failure: string | undefined;
  /** True where that is because it is too large. */
  readonly isTooLarge?: boolean;
}

/** What is true of a document right now. */
export interface DocumentFacts {
  readonly document: DocumentStatus;
  readonly replicas: Agreements;
  readonly isShadow: boolean;
  /** How far a route or a ConfigMap that it refers to could be read, by its key. */
  readonly readingOf: (key: string) => ReferenceReading;
  /** Of a provider that serves. */
  readonly provider: ProviderCondition | undefined;
  /** What a provider that serves refers to and that is not there. */
  readonly missing: readonly MissingMaterial[];
  /** Which of the Secrets and ConfigMaps that a provider refers to cannot be read now, and why; undefined where all can. */
  readonly unreadable: string | undefined;
  /** The providers that the version in force of a policy names. */
  readonly providers: readonly NamedProvider[];
}

/** A provider that a policy names. */
export interface NamedProvider {
  /** `IdentityProvider shop/okta`. */
  readonly key: string;
  /** False where it does not exist any more, or was refused and has no last good version. */
  readonly isRunning: boolean;
  readonly missing: readonly MissingMaterial[];
  /** How many keys, or clients, it has; undefined where it needs none. */
  readonly keys: number | undefined;
  /** Why it has none, or not all. */
  readonly lastError: string | undefined;
}

/** How many keys a provider has; undefined where it needs none, because somebody else verifies. */
export function keysNeeded({ keys, isKeyless, isAnswering }: ProviderCondition): number | undefined {
  return isKeyless === true || isAnswering !== undefined ? undefined : keys;
}

/** The API server takes messages of up to 32 KiB; people take less. */
export function clip(text: string): string {
  return text.length > 1024 ? `${text.slice(0, 1021)}...` : text;
}

/** A condition as it is written. */
export function toConditionObject(
  verdict: ConditionVerdict,
  observedGeneration: number,
  lastTransitionTime: string,
): JsonObject {
  return { ...verdict, observedGeneration, lastTransitionTime };
}

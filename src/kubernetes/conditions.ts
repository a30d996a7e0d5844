import type { JsonObject } from '../core/json.ts';
import type { Problem, ProblemCode } from '../core/problem.ts';
import { formatTarget, type DocumentStatus, type ProviderCondition } from '../core/status.ts';
import { specKey } from '../policy/spec-name.ts';

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
  TargetNotFound:
    'A route that it is attached to, or a rule of one, does not exist; it stands ready for the checks that name it.',
  TargetPending: 'The routes that it is attached to are not read yet.',
  TargetNotReadable: 'A route that it is attached to cannot be read: its hostnames are not reserved.',
  Programmed: 'Every replica serves the newest version.',
  Pending: 'Not every replica has taken the newest version in.',
  LastGoodServed: 'The newest version was refused and the last good one serves.',
  Denying: 'No version serves: requests that it would have governed are denied.',
  ReplicasDisagree: 'The newest version was refused, and replicas serve different older ones or deny.',
  Shadow: 'The policy is in shadow mode: it is evaluated and recorded, and changes no answer.',
  HostConflict: 'Some of its hosts belong to another namespace, or are not granted.',
  RouteMetadataMissing:
    'Checks for the hostnames of its routes came whose proxy does not say which route it chose, and were denied.',
  KeysLoaded: 'Keys of the issuer are in use.',
  KeysMissing: 'No key of the issuer is in use: its tokens are answered with 503.',
  KeysStale: 'The last fetch failed; keys fetched before it are in use.',
  Answering: 'Who is asked about credentials answers, as far as it was asked.',
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
}

/** What is true of a document right now. */
export interface DocumentFacts {
  readonly document: DocumentStatus;
  readonly replicas: Agreements;
  readonly isShadow: boolean;
  /** How far a route that it is attached to could be read, by its key. */
  readonly readingOf: (route: string) => ReferenceReading;
  /** Of a provider that serves. */
  readonly provider: ProviderCondition | undefined;
}

/** The conditions of a document, in the order in which people read them. */
export function judgeConditions(facts: DocumentFacts): readonly ConditionVerdict[] {
  const { document, provider } = facts;
  const isProvider = document.kind.endsWith('IdentityProvider');
  return [
    judgeAccepted(document),
    judgeRefs(facts),
    judgeProgrammed(facts),
    ...(document.conflicts.length > 0 ? [judgeConflicts(document)] : []),
    ...(document.isUnrouted ? [unrouted] : []),
    ...(isProvider && provider !== undefined
      ? [provider.isAnswering === undefined ? judgeKeys(provider) : judgeAnswering(provider)]
      : []),
  ];
}

function judgeAccepted({ accepted, problems, conflicts }: DocumentStatus): ConditionVerdict {
  const type = 'Accepted';
  if (accepted) {
    const warnings = problems.filter(({ severity }) => severity === 'warning').length;
    const also = warnings === 0 ? '' : ` It has ${count(warnings, 'warning')}, see status.problems.`;
    return { type, status: 'True', reason: 'Accepted', message: `${conditionReasons.Accepted}${also}` };
  }
  const errors = problems.filter(({ severity }) => severity === 'error');
  const reason = reasonOf(errors, conflicts.length > 0);
  return { type, status: 'False', reason, message: firstOf(errors, conditionReasons[reason]) };
}

const refCodes: ReadonlySet<ProblemCode> = new Set(['missing-reference', 'invalid-reference']);
const hostCodes: ReadonlySet<ProblemCode> = new Set(['host-conflict', 'host-not-granted']);

function reasonOf(errors: readonly Problem[], hasConflicts: boolean): ConditionReason {
  const areAll = (codes: ReadonlySet<ProblemCode>): boolean => errors.every(({ code }) => codes.has(code));
  if (errors.length === 0) return hasConflicts ? 'HostsNotOwned' : 'Invalid';
  if (areAll(new Set(['unsupported']))) return 'Unsupported';
  if (areAll(refCodes)) return 'RefsNotResolved';
  return areAll(hostCodes) ? 'HostsNotOwned' : 'Invalid';
}

const unrouted: ConditionVerdict = {
  type: 'Unrouted',
  status: 'True',
  reason: 'RouteMetadataMissing',
  message: `${conditionReasons.RouteMetadataMissing} In Envoy Gateway's SecurityPolicy write includeRouteMetadata: true; for a proxy that sends none write hosts or attachment: Named.`,
};

function judgeRefs({ document, readingOf }: DocumentFacts): ConditionVerdict {
  const { problems } = document;
  const type = 'ResolvedRefs';
  const broken = problems.filter(({ code, severity }) => severity === 'error' && refCodes.has(code));
  const [first] = broken;
  if (first === undefined) return judgeTargets(document, readingOf);
  const reason = first.code === 'missing-reference' ? 'RefNotFound' : 'RefRefused';
  return { type, status: 'False', reason, message: firstOf(broken, conditionReasons[reason]) };
}

/** Of routes that are not there: those that cannot be read come first, because nobody knows of them. */
function judgeTargets({ targets }: DocumentStatus, readingOf: DocumentFacts['readingOf']): ConditionVerdict {
  const type = 'ResolvedRefs';
  const missing = targets
    .filter(({ found }) => found !== 'found')
    .map((target) => ({ target, ...readingOf(specKey(target)) }));
  const [first] = missing;
  if (first === undefined)
    return { type, status: 'True', reason: 'ResolvedRefs', message: conditionReasons.ResolvedRefs };
  const unreadable = missing.find(({ target, failure }) => target.found === 'no-route' && failure !== undefined);
  if (unreadable?.failure !== undefined) {
    const message = clip(`${formatTarget(unreadable.target)} cannot be read: ${unreadable.failure}`);
    return { type, status: 'False', reason: 'TargetNotReadable', message };
  }
  if (missing.some(({ target, isRead }) => target.found === 'no-route' && !isRead))
    return { type, status: 'Unknown', reason: 'TargetPending', message: conditionReasons.TargetPending };
  const all = missing.slice(0, 8).map(({ target }) => formatTarget(target));
  const message = clip(
    `${all.join('; ')}: ${missing.length === 1 ? 'it does' : 'they do'} not exist, and the policy stands ready for the checks that name ${missing.length === 1 ? 'it' : 'them'}`,
  );
  return { type, status: 'False', reason: 'TargetNotFound', message };
}

function judgeProgrammed({ document, replicas, isShadow }: DocumentFacts): ConditionVerdict {
  const type = 'Programmed';
  const { accepted, servedGeneration, version } = document;
  const all = replicas.agreeing + replicas.pending + replicas.disagreeing;
  const verdict = (status: 'True' | 'False', reason: ConditionReason, message: string): ConditionVerdict => ({
    type,
    status,
    reason,
    message,
  });
  if (replicas.disagreeing > 0) {
    const ours = servedGeneration === undefined ? 'deny what it would govern' : `serve generation ${servedGeneration}`;
    const message = `${replicas.agreeing} of ${count(all, 'replica')} ${ours}, ${replicas.disagreeing} answer otherwise: correct the policy`;
    return verdict('False', 'ReplicasDisagree', message);
  }
  // It neither decides nor denies (S10).
  if (accepted && servedGeneration === undefined && document.conflicts.length > 0)
    return verdict('False', 'HostsNotOwned', conditionReasons.HostsNotOwned);
  if (servedGeneration === undefined) return verdict('False', 'Denying', conditionReasons.Denying);
  if (!accepted) {
    const message = `generation ${servedGeneration} serves on; a replica that starts now has none and denies`;
    return verdict('False', 'LastGoodServed', message);
  }
  if (replicas.pending > 0) {
    return verdict(
      'False',
      'Pending',
      `${replicas.agreeing} of ${count(all, 'replica')} serve generation ${version?.generation ?? servedGeneration}`,
    );
  }
  return verdict(
    'True',
    isShadow ? 'Shadow' : 'Programmed',
    isShadow ? conditionReasons.Shadow : conditionReasons.Programmed,
  );
}

function judgeConflicts({ conflicts, accepted }: DocumentStatus): ConditionVerdict {
  const hosts = conflicts.map(({ host, owner }) =>
    owner === undefined ? `${host} is not granted` : `${host} belongs to the namespace ${owner}`,
  );
  const others = accepted ? '; the policy governs its other hosts' : '';
  return {
    type: 'Conflicted',
    status: 'True',
    reason: 'HostConflict',
    message: clip(`${hosts.slice(0, 8).join(', ')}${others}`),
  };
}

function judgeKeys({ keys, lastError }: ProviderCondition): ConditionVerdict {
  const type = 'KeysLoaded';
  const why = lastError === undefined ? '' : `: ${lastError}`;
  if (keys === 0)
    return {
      type,
      status: 'False',
      reason: 'KeysMissing',
      message: clip(`${conditionReasons.KeysMissing.slice(0, -1)}${why}`),
    };
  if (lastError !== undefined)
    return { type, status: 'True', reason: 'KeysStale', message: clip(`${count(keys, 'key')}${why}`) };
  return { type, status: 'True', reason: 'KeysLoaded', message: `${count(keys, 'key')} in use` };
}

function judgeAnswering({ isAnswering, lastError }: ProviderCondition): ConditionVerdict {
  const type = 'Answering';
  if (isAnswering === true) return { type, status: 'True', reason: 'Answering', message: conditionReasons.Answering };
  const why = lastError === undefined ? '' : `: ${lastError}`;
  return {
    type,
    status: 'False',
    reason: 'NotAnswering',
    message: clip(`${conditionReasons.NotAnswering.slice(0, -1)}${why}`),
  };
}

function firstOf(problems: readonly Problem[], otherwise: string): string {
  const [first] = problems;
  if (first === undefined) return otherwise;
  const others = problems.length === 1 ? '' : ` (and ${problems.length - 1} more, see status.problems)`;
  return clip(`${first.field === '' ? '' : `${first.field}: `}${first.message}${others}`);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** The API server takes messages of up to 32 KiB; people take less. */
function clip(text: string): string {
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

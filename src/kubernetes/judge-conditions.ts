import type { Problem, ProblemCode } from '../core/problem.ts';
import type { DocumentStatus, ProviderCondition } from '../core/status.ts';
import {
  clip,
  conditionReasons,
  type ConditionReason,
  type ConditionVerdict,
  type DocumentFacts,
} from './conditions.ts';
import {
  describeMissing,
  judgeMaterials,
  keyOf,
  judgeProviders,
  judgeTargets,
  judgeUnreadable,
} from './judge-references.ts';

/** The conditions of a document, in the order in which people read them. */
export function judgeConditions(facts: DocumentFacts): readonly ConditionVerdict[] {
  const { document, provider } = facts;
  const isProvider = document.kind.endsWith('IdentityProvider');
  return [
    judgeAccepted(document),
    judgeRefs(facts),
    judgeProgrammed(facts),
    ...(document.conflicts.length > 0 ? [judgeConflicts(facts)] : []),
    ...(document.isUnrouted ? [unrouted] : []),
    ...(isProvider && provider !== undefined ? judgeProvider(provider, facts) : []),
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

function judgeRefs(facts: DocumentFacts): ConditionVerdict {
  const { problems } = facts.document;
  const type = 'ResolvedRefs';
  const broken = problems.filter(({ code, severity }) => severity === 'error' && refCodes.has(code));
  const [first] = broken;
  if (first === undefined) {
    const resolved = { type, status: 'True', reason: 'ResolvedRefs', message: conditionReasons.ResolvedRefs } as const;
    return judgeMaterials(facts) ?? judgeUnreadable(facts) ?? judgeTargets(facts) ?? judgeProviders(facts) ?? resolved;
  }
  const reason = first.code === 'missing-reference' ? 'RefNotFound' : 'RefRefused';
  return { type, status: 'False', reason, message: firstOf(broken, conditionReasons[reason]) };
}

function judgeProgrammed({ document, replicas, isShadow, providers }: DocumentFacts): ConditionVerdict {
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
    const without = judgeWithout(document, providers);
    const newcomers = 'a replica that starts now has none and denies';
    const serves = `generation ${servedGeneration} serves on`;
    if (without === undefined) return verdict('False', 'LastGoodServed', `${serves}; ${newcomers}`);
    return verdict('False', 'ProviderUnavailable', clip(`${serves} ${without}; ${newcomers}`));
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

/** What the last good version lacks, and what becomes of requests; undefined where it serves as it did (decision 3). */
function judgeWithout(
  { problems, version, servedGeneration }: DocumentStatus,
  providers: DocumentFacts['providers'],
): string | undefined {
  const gone = providers.filter(({ isRunning }) => !isRunning).map(({ key }) => key);
  if (gone.length > 0) {
    const which = gone.slice(0, 8).join(', ');
    return `without ${which}, which ${gone.length === 1 ? 'is' : 'are'} not there or refused: rules that have no other provider answer 503 (provider_unavailable)`;
  }
  // The document did not change: the issuer of one of its providers did.
  const isTwin = problems.some(({ code }) => code === 'ambiguous-provider') && servedGeneration === version?.generation;
  return isTwin ? 'and its rules with two providers of one issuer answer 503 (provider_unavailable)' : undefined;
}

function judgeConflicts({ document, isShadow }: DocumentFacts): ConditionVerdict {
  const { conflicts, accepted, namespace, servedGeneration } = document;
  const hosts = conflicts.map(({ host, owner }) =>
    owner === undefined ? `${host} is not granted` : `${host} belongs to the namespace ${owner}`,
  );
  const isUngranted = conflicts.some(({ owner }) => owner === undefined);
  const remedy = isUngranted
    ? `; the operator grants hosts to ${namespace} (hostGrants; config.hostGrants of the chart)`
    : '';
  const governs = isShadow ? 'is judged on' : 'governs';
  const which = servedGeneration === undefined ? 'none of its hosts' : 'its other hosts';
  const others = accepted ? `; the policy ${governs} ${which}${remedy}` : remedy;
  return {
    type: 'Conflicted',
    status: 'True',
    reason: 'HostConflict',
    message: clip(`${hosts.slice(0, 8).join(', ')}${others}`),
  };
}

function judgeProvider(provider: ProviderCondition, facts: DocumentFacts): readonly ConditionVerdict[] {
  if (provider.isAnswering !== undefined) return [judgeAnswering(provider)];
  return provider.isKeyless === true ? [] : [judgeKeys(provider, facts)];
}

function judgeAnswering({ isAnswering, isAsked, lastError }: ProviderCondition): ConditionVerdict {
  const type = 'Answering';
  if (isAnswering === true && isAsked === false)
    return { type, status: 'Unknown', reason: 'NotAsked', message: conditionReasons.NotAsked };
  if (isAnswering === true) return { type, status: 'True', reason: 'Answering', message: conditionReasons.Answering };
  const why = lastError === undefined ? '' : `: ${lastError}`;
  const message = clip(`${conditionReasons.NotAnswering.slice(0, -1)}${why}`);
  return { type, status: 'False', reason: 'NotAnswering', message };
}

function judgeKeys(
  { keys, keyAgeSeconds, lastError }: ProviderCondition,
  { missing, readingOf }: DocumentFacts,
): ConditionVerdict {
  const type = 'KeysLoaded';
  // The engine knows only that it was not given; whether it is there is known to who reads.
  const isUnread = missing.some((one) => one.isWhole && readingOf(keyOf(one)).failure !== undefined);
  const cause = isUnread ? missing.map((one) => describeMissing(one, readingOf)).join('; ') : lastError;
  const why = cause === undefined ? '' : `: ${cause}`;
  if (keys === 0)
    return {
      type,
      status: 'False',
      reason: 'KeysMissing',
      message: clip(`${conditionReasons.KeysMissing.slice(0, -1)}${why}`),
    };
  const message = `${count(keys, 'key')} in use`;
  if (lastError !== undefined) {
    const reason = keyAgeSeconds === undefined ? 'KeysIncomplete' : 'KeysStale';
    return { type, status: 'True', reason, message: clip(`${message}${why}`) };
  }
  return { type, status: 'True', reason: 'KeysLoaded', message };
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

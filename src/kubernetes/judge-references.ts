import { formatTarget, type MissingMaterial } from '../core/status.ts';
import { specKey } from '../policy/spec-name.ts';
import {
  clip,
  conditionReasons,
  type ConditionReason,
  type ConditionVerdict,
  type DocumentFacts,
} from './conditions.ts';

/** What `ResolvedRefs` is because of something that is no document of ours; undefined where nothing is wrong with it. */
type Judged = ConditionVerdict | undefined;

const maxNamed = 8;

/** Of a provider: the Secrets and ConfigMaps that it refers to. Those that cannot be read come first, because nobody knows of them. */
export function judgeMaterials({ missing, readingOf }: DocumentFacts): Judged {
  if (missing.length === 0) return undefined;
  const all = missing.map((material) => ({ material, ...readingOf(keyOf(material)) }));
  const unreadable = all.find(({ material, failure }) => material.isWhole && failure !== undefined);
  if (unreadable?.failure !== undefined)
    return verdict(
      'False',
      'RefNotReadable',
      `the ${keyOf(unreadable.material)} cannot be read: ${unreadable.failure}`,
    );
  if (all.some(({ material, isRead }) => material.isWhole && !isRead))
    return verdict('Unknown', 'RefPending', conditionReasons.RefPending);
  return verdict('False', 'RefNotFound', missing.map(describeMissing).join('; '));
}

/** Of a provider: Secrets that its selector takes, or what was read before and cannot be now. */
export function judgeUnreadable({ unreadable }: DocumentFacts): Judged {
  return unreadable === undefined ? undefined : verdict('False', 'RefNotReadable', unreadable);
}

/**
 * Of a policy: the providers that are there and refer to something that is not. What that is called of a provider of its own namespace alone: a
 * tenant is not told what the operator's Secrets are called (promise 6).
 */
export function judgeProviders({ providers, document: { namespace } }: DocumentFacts): Judged {
  const broken = providers.filter(({ isRunning, missing }) => isRunning && missing.length > 0);
  if (broken.length === 0) return undefined;
  const named = broken.slice(0, maxNamed).map(({ key, missing }) => {
    const isOwn = missing.every((material) => material.namespace === namespace);
    return `${key}: ${isOwn ? missing.map(describeMissing).join('; ') : 'something that it refers to is not there'}`;
  });
  return verdict('False', 'ProviderNotResolved', `${named.join('; ')}: credentials are answered with 503`);
}

/** Of a policy: routes that are not there. Those that cannot be read come first, because nobody knows of them. */
export function judgeTargets({ document: { targets }, readingOf }: DocumentFacts): Judged {
  const missing = targets
    .filter(({ found }) => found !== 'found')
    .map((target) => ({ target, ...readingOf(specKey(target)) }));
  if (missing.length === 0) return undefined;
  const unreadable = missing.find(({ target, failure }) => target.found === 'no-route' && failure !== undefined);
  if (unreadable?.failure !== undefined) {
    const message = `${formatTarget(unreadable.target)} cannot be read: ${unreadable.failure}`;
    return verdict('False', 'TargetNotReadable', message);
  }
  if (missing.some(({ target, isRead }) => target.found === 'no-route' && !isRead))
    return verdict('Unknown', 'TargetPending', conditionReasons.TargetPending);
  const all = missing.slice(0, maxNamed).map(({ target }) => formatTarget(target));
  const [does, it] = missing.length === 1 ? ['it does', 'it'] : ['they do', 'them'];
  const message = `${all.join('; ')}: ${does} not exist, and the policy stands ready for the checks that name ${it}`;
  return verdict('False', 'TargetNotFound', message);
}

function verdict(status: ConditionVerdict['status'], reason: ConditionReason, message: string): ConditionVerdict {
  return { type: 'ResolvedRefs', status, reason, message: clip(message) };
}

function keyOf({ kind, namespace, name }: MissingMaterial): string {
  return specKey({ kind, namespace, name });
}

function describeMissing(material: MissingMaterial): string {
  if (material.isWhole) return `the ${keyOf(material)} does not exist`;
  return `the ${keyOf(material)} has no key ${material.key}`;
}

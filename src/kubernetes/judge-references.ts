import { formatTarget, type MissingMaterial, type TargetStatus } from '../core/status.ts';
import { specKey } from '../policy/spec-name.ts';
import {
  clip,
  conditionReasons,
  type ConditionReason,
  type ConditionVerdict,
  type DocumentFacts,
  type NamedProvider,
} from './conditions.ts';

/** What `ResolvedRefs` is because of something that is no document of ours; undefined where nothing is wrong with it. */
type Judged = ConditionVerdict | undefined;

const maxNamed = 8;

/** Of a provider: the Secrets and ConfigMaps that it refers to. Those that cannot be read come first, because nobody knows of them. */
export function judgeMaterials({ missing, readingOf }: DocumentFacts): Judged {
  if (missing.length === 0) return undefined;
  const all = missing.map((material) => ({ material, ...readingOf(keyOf(material)) }));
  const isUnknown = ({ material, isRead }: (typeof all)[number]): boolean => material.isWhole || !isRead;
  const unreadable = all.find((one) => isUnknown(one) && one.failure !== undefined);
  if (unreadable?.failure !== undefined)
    return verdict(
      'False',
      'RefNotReadable',
      `the ${keyOf(unreadable.material)} cannot be read: ${unreadable.failure}`,
    );
  // One of which somebody else knew other keys is read again.
  if (all.some(({ isRead }) => !isRead)) return verdict('Unknown', 'RefPending', conditionReasons.RefPending);
  return verdict('False', 'RefNotFound', missing.map((one) => describeMissing(one, readingOf)).join('; '));
}

/** Of a provider: Secrets that its selector takes, or what was read before and cannot be now. */
export function judgeUnreadable({ unreadable }: DocumentFacts): Judged {
  return unreadable === undefined ? undefined : verdict('False', 'RefNotReadable', unreadable);
}

/**
 * Of a policy: the providers that are there and refer to something that is not. What that is called of a provider of its own namespace alone: a
 * tenant is not told what the operator's Secrets are called (promise 6).
 */
export function judgeProviders({ providers, document: { namespace }, readingOf }: DocumentFacts): Judged {
  const broken = providers.filter(
    (provider) => provider.isRunning && (provider.missing.length > 0 || hasNoKeys(provider)),
  );
  if (broken.length === 0) return undefined;
  const named = broken.slice(0, maxNamed).map((provider) => {
    const { key, missing } = provider;
    if (!key.startsWith(`IdentityProvider ${namespace}/`) || missing.some((one) => one.namespace !== namespace))
      return `${key}: ${missing.length > 0 ? 'something that it refers to is not there or cannot be read' : 'none of its keys is in use'}`;
    if (missing.length > 0) return `${key}: ${missing.map((one) => describeMissing(one, readingOf)).join('; ')}`;
    return `${key}: none of its keys is in use: ${provider.lastError ?? ''}`;
  });
  // A provider of clients answers by itself that it knows none of them.
  const what = broken.every(({ missing }) => missing.length > 0)
    ? 'credentials are answered with 503'
    : 'such a provider vouches for nobody';
  return verdict('False', 'ProviderNotResolved', `${named.join('; ')}: ${what}`);
}

/** Of a policy: routes that are not there. Those that cannot be read come first, because nobody knows of them. */
export function judgeTargets({ document: { targets }, readingOf }: DocumentFacts): Judged {
  const all = targets.map((target) => ({ target, ...readingOf(specKey(target)) }));
  const outsized = all.find(({ isTooLarge }) => isTooLarge === true);
  if (outsized?.failure !== undefined) return tooLargeToRead(outsized.target, outsized.failure);
  const missing = all.filter(({ target }) => target.found !== 'found');
  if (missing.length === 0) return undefined;
  const unreadable = missing.find(({ target, failure }) => target.found === 'no-route' && failure !== undefined);
  if (unreadable?.failure !== undefined) {
    const message = `${formatTarget(unreadable.target)} cannot be read: ${unreadable.failure}`;
    return verdict('False', 'TargetNotReadable', message);
  }
  if (missing.some(({ target, isRead }) => target.found === 'no-route' && !isRead))
    return verdict('Unknown', 'TargetPending', conditionReasons.TargetPending);
  const named = missing.slice(0, maxNamed).map(({ target }) => formatTarget(target));
  const [does, it] = missing.length === 1 ? ['it does', 'it'] : ['they do', 'them'];
  const message = `${named.join('; ')}: ${does} not exist, and the policy stands ready for the checks that name ${it}`;
  return verdict('False', 'TargetNotFound', message);
}

/** Also of one that was read before: what it says now nobody knows. */
function tooLargeToRead(target: TargetStatus, why: string): Judged {
  const message = `${formatTarget(target)} cannot be read: ${why}; until it can, checks that name no route are denied on every host of its namespace`;
  return verdict('False', 'TargetNotReadable', message);
}

function verdict(status: ConditionVerdict['status'], reason: ConditionReason, message: string): ConditionVerdict {
  return { type: 'ResolvedRefs', status, reason, message: clip(message) };
}

export function keyOf({ kind, namespace, name }: MissingMaterial): string {
  return specKey({ kind, namespace, name });
}

/** What keeps a provider from vouching for anybody; one that waits for its first keys, or for its first client, is not broken. */
export function hasNoKeys({ keys, lastError }: Pick<NamedProvider, 'keys' | 'lastError'>): boolean {
  return keys === 0 && lastError !== undefined;
}

/** What is missing, in words. What cannot be read is not said to be missing: nobody knows of it. */
export function describeMissing(material: MissingMaterial, readingOf: DocumentFacts['readingOf']): string {
  const { failure, isRead } = readingOf(keyOf(material));
  if ((material.isWhole || !isRead) && failure !== undefined)
    return `the ${keyOf(material)} cannot be read: ${failure}`;
  if (material.isWhole) return `the ${keyOf(material)} does not exist`;
  return `the ${keyOf(material)} has no key ${material.key}`;
}

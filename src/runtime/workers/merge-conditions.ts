import type { ProviderCondition } from '../../core/status.ts';

/**
 * What a provider says of itself in all processes: the worst of it. Whoever is asked about each credential is asked by workers alone, so the
 * watcher's own word on that says nothing once a worker has one.
 */
export function mergeConditions(own: ProviderCondition, others: readonly ProviderCondition[]): ProviderCondition {
  const all = own.isAsked !== undefined && others.length > 0 ? others : [own, ...others];
  const ages = all.flatMap(({ keyAgeSeconds }) => keyAgeSeconds ?? []);
  const isAnswering = all.flatMap((one) => one.isAnswering ?? []);
  return {
    ...own,
    keys: Math.min(...all.map(({ keys }) => keys)),
    keyAgeSeconds: ages.length === 0 ? undefined : Math.max(...ages),
    lastError: all.find(({ lastError }) => lastError !== undefined)?.lastError,
    unusable: all.find(({ unusable }) => unusable !== undefined)?.unusable,
    ...(isAnswering.length === 0 ? {} : { isAnswering: isAnswering.every(Boolean) }),
    ...(own.isAsked === undefined ? {} : { isAsked: all.some(({ isAsked }) => isAsked === true) }),
  };
}

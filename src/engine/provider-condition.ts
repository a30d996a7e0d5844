import type { ProviderCondition } from '../core/status.ts';
import type { Running } from './provider-pool.ts';

/** What is told of a provider at work: what it says of itself, and what was kept for it. */
export function toCondition(key: string, { provider, kept }: Pick<Running, 'provider' | 'kept'>): ProviderCondition {
  const status = provider.status();
  if (kept === undefined) return { key, ...status };
  const join = (more: string | undefined): string => (more === undefined ? kept : `${kept}; ${more}`);
  return { key, ...status, lastError: join(status.lastError), unusable: join(status.unusable) };
}

import type { Logger } from '../core/ports.ts';
import type { Running } from './provider-pool.ts';
import { toCondition } from './provider-condition.ts';

/**
 * Logs what providers refer to and cannot use, once each time that it is something else, and that it is mended. Called with the keys of the
 * providers that a change concerns, once it is in force.
 */
export function createUnusableTeller(
  running: ReadonlyMap<string, Running>,
  logger: Logger,
): (keys: Iterable<string>) => void {
  const told = new Map<string, string>();
  const tell = (key: string): void => {
    const now = running.get(key);
    const unusable = now && toCondition(key, now).unusable;
    const before = told.get(key);
    if (unusable === before) return;
    if (unusable !== undefined) {
      told.set(key, unusable);
      logger.warn({ provider: key, unusable }, 'a provider cannot use what it refers to');
      return;
    }
    told.delete(key);
    if (now !== undefined) logger.info({ provider: key }, 'a provider can use what it refers to again');
  };
  return (keys) => {
    for (const key of keys) {
      tell(key);
      const provider = running.get(key)?.provider;
      // A change does not wait for ever until keys are read.
      void provider?.firstLoad.then(() => {
        if (running.get(key)?.provider === provider) tell(key);
      });
    }
  };
}

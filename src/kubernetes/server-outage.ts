import { messageOf } from '../core/failure.ts';
import type { Logger } from '../core/ports.ts';
import { isApiFailure } from './api-failure.ts';

/** Who follows the API server and cannot, because it is away: hundreds of collections would otherwise each say so. */
export interface ServerOutage {
  /** The collection cannot be followed for a reason that holds for all. */
  lost(collection: string, thrown: unknown): void;
  /** It is followed again. */
  found(collection: string): void;
  /** It is followed no more, or cannot be for a reason of its own. */
  forget(collection: string): void;
  isLost(collection: string): boolean;
}

/** One line when the first collection is lost (again when the reason is another) and one when the last of them is followed again. */
export function createServerOutage(logger: Logger): ServerOutage {
  const lost = new Set<string>();
  const told = new Set<string>();
  const isOver = (): boolean => {
    if (lost.size > 0) return false;
    told.clear();
    return true;
  };
  return {
    lost: (collection, thrown) => {
      lost.add(collection);
      const why = reasonOf(thrown);
      const fields = { collection, error: messageOf(thrown) };
      if (told.has(why)) logger.debug(fields, 'the API server cannot be followed either');
      else logger.warn(fields, 'the API server cannot be followed; what is in force stays in force');
      told.add(why);
    },
    found: (collection) => {
      if (lost.delete(collection) && isOver()) logger.info({ collection }, 'the API server is followed again');
    },
    forget: (collection) => {
      if (lost.delete(collection)) isOver();
    },
    isLost: (collection) => lost.has(collection),
  };
}

/** A server that goes away says so in many words; that it does not know us is another matter. */
function reasonOf(thrown: unknown): string {
  if (isApiFailure(thrown, 'api_unauthorized')) return 'unauthorized';
  return isApiFailure(thrown, 'api_config') ? 'config' : 'away';
}

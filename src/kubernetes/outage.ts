import { messageOf } from '../core/failure.ts';
import type { Logger } from '../core/ports.ts';
import { isApiFailure, isForAll } from './api-failure.ts';
import { sayWhatIsMissing, type Collection } from './collection.ts';
import type { ServerOutage } from './server-outage.ts';

/** Whether a collection is followed, and why not. */
export interface Outage {
  begin(thrown: unknown): void;
  end(): void;
  /** The collection is followed no more. */
  forget(): void;
  current(): string | undefined;
}

/**
 * One line when following fails (again when the reason changes) and one when it works again; what holds for every collection is said once
 * for all. A watch that is too old, or that brings nothing because nothing happens, is no outage.
 */
export function createOutage(collection: Collection, logger: Logger, server: ServerOutage): Outage {
  let current: string | undefined;
  let hasOwnReason = false;
  let isForgiven = false;
  const endOwn = (): void => {
    if (hasOwnReason) logger.info({ collection: collection.name }, 'the API server is followed again');
    hasOwnReason = false;
  };
  return {
    begin: (thrown) => {
      const remedy = sayWhatIsMissing(collection, thrown);
      const error = remedy === undefined ? messageOf(thrown) : `${remedy} (${messageOf(thrown)})`;
      const fields = { collection: collection.name, error };
      if (isApiFailure(thrown, 'api_gone', 'api_silent'))
        return logger.debug(fields, 'a watch of the API server is begun anew');
      const isNew = current !== error;
      current = error;
      if (isForAll(thrown)) {
        isForgiven = false;
        hasOwnReason = false;
        return server.lost(collection.name, thrown);
      }
      // An API server that has only just come back forbids everything for a moment.
      if (isApiFailure(thrown, 'api_forbidden') && server.isLost(collection.name) && !isForgiven) {
        isForgiven = true;
        return;
      }
      if (isNew || !hasOwnReason)
        logger.warn(fields, 'the API server cannot be followed; what is in force stays in force');
      hasOwnReason = true;
      server.forget(collection.name);
    },
    end: () => {
      endOwn();
      server.found(collection.name);
      current = undefined;
      isForgiven = false;
    },
    forget: () => server.forget(collection.name),
    current: () => current,
  };
}

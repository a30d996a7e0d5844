import { messageOf } from '../core/failure.ts';
import type { Logger } from '../core/ports.ts';
import { isApiFailure } from './api-failure.ts';
import { sayWhatIsMissing, type Collection } from './collection.ts';

/** Whether a collection is followed, and why not. */
export interface Outage {
  begin(thrown: unknown): void;
  end(): void;
  current(): string | undefined;
}

/** One line when following fails (again when the reason changes) and one when it works again. A watch that is merely cut is no outage yet. */
export function createOutage(collection: Collection, logger: Logger): Outage {
  let current: string | undefined;
  return {
    begin: (thrown) => {
      const remedy = sayWhatIsMissing(collection, thrown);
      const error = remedy === undefined ? messageOf(thrown) : `${remedy} (${messageOf(thrown)})`;
      if (current === error) return;
      current = error;
      const isUsual = isApiFailure(thrown, 'api_gone', 'api_silent');
      const fields = { collection: collection.name, error };
      if (isUsual) logger.info(fields, 'a watch of the API server is begun anew');
      else logger.warn(fields, 'the API server cannot be followed; what is in force stays in force');
    },
    end: () => {
      if (current !== undefined) logger.info({ collection: collection.name }, 'the API server is followed again');
      current = undefined;
    },
    current: () => current,
  };
}

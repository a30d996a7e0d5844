import type { Logger } from '../core/ports.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import type { UncaughtKind } from '../observe/metrics.ts';
import type { ProcessPort } from './process-signals.ts';

export interface ProcessGuardOptions {
  readonly process: ProcessPort;
  readonly logger: Logger;
  readonly onUncaught: (kind: UncaughtKind) => void;
}

/**
 * Logs and counts what nothing caught, and lets the process go on: no single request may end the service for all others. What it returns
 * takes the listeners off again.
 */
export function guardProcess({ process, logger, onUncaught }: ProcessGuardOptions): () => void {
  const listener = (kind: UncaughtKind) => (thrown: unknown) => {
    onUncaught(kind);
    logger.error(
      { kind, ...thrownFields(thrown) },
      'an error was caught by nothing, which is a bug; the service goes on',
    );
  };
  const onException = listener('exception');
  const onRejection = listener('rejection');
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);
  return () => {
    process.off('uncaughtException', onException);
    process.off('unhandledRejection', onRejection);
  };
}

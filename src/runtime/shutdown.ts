import type { Logger, Timers } from '../core/ports.ts';
import { thrownFields } from '../core/thrown-fields.ts';

/** What has to happen for a service to end without losing a request. */
export interface ShutdownStages {
  /** At once: unready and NOT_SERVING, while everything is still answered. */
  announce(): void;
  /** Accepts nothing new, waits for what is in flight, cuts off what is left after `timeoutMs`. */
  drain(timeoutMs: number): Promise<unknown>;
  /** Servers, sources and providers, in their order. */
  readonly close: readonly (() => void | Promise<void>)[];
}

export interface ShutdownOptions {
  /** How long to serve on, so that proxies can turn away; milliseconds. */
  readonly delayMs: number;
  /** How long what is in flight may take to end; milliseconds. */
  readonly timeoutMs: number;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** How long one thing may take to close beyond its own limits. */
const closeWaitMs = 3000;

/**
 * Goes through the stages: announce, serve on, drain, close. A stage that fails or does not end is logged, and the next one begins all the same.
 * Never rejects.
 */
export async function shutDownInStages(stages: ShutdownStages, options: ShutdownOptions): Promise<void> {
  const { delayMs, timeoutMs, timers, logger } = options;
  await runStage('announce', () => stages.announce(), closeWaitMs, options);
  if (delayMs > 0) await pause(delayMs, timers);
  logger.info({ timeoutMs }, 'draining');
  await runStage('drain', () => stages.drain(timeoutMs), timeoutMs + closeWaitMs, options);
  for (const close of stages.close) await runStage('close', close, closeWaitMs, options);
}

async function runStage(
  stage: string,
  run: () => unknown,
  limitMs: number,
  { timers, logger }: ShutdownOptions,
): Promise<void> {
  let cancel = (): void => undefined;
  const late = new Promise<'late'>((resolve) => {
    cancel = timers.after(limitMs, () => resolve('late'));
  });
  try {
    const outcome = await Promise.race([(async () => run())(), late]);
    if (outcome === 'late') logger.warn({ stage, limitMs }, 'a stage of the shutdown did not end in time');
  } catch (thrown) {
    logger.error({ stage, ...thrownFields(thrown) }, 'a stage of the shutdown failed');
  } finally {
    cancel();
  }
}

function pause(delayMs: number, timers: Timers): Promise<void> {
  return new Promise((resolve) => {
    timers.after(delayMs, resolve);
  });
}

import type { Environment } from './install-in-cache.ts';

/** What the demonstration needs of whoever runs it. */
export interface DevIo {
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  /** PATH, HOME and XDG_CACHE_HOME, to find or keep Envoy. */
  readonly environment: Environment;
  /** Aborted when the user has enough (Ctrl-C). */
  readonly signal: AbortSignal;
}

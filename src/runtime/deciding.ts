import type { ServiceStatus } from '../core/status.ts';
import type { Engine } from '../engine/engine.ts';
import type { Answering } from './answering.ts';

/** What decides and answers, in one process or several. */
export interface Deciding {
  readonly engine: Engine;
  readonly answering: Answering;
  status(): Omit<ServiceStatus, 'lastReadAt'>;
  /** Why nobody answers, in a line; undefined while somebody does. */
  outage(): string | undefined;
  close(): void | Promise<void>;
}

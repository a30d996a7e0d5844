import type { Clock, Random, Timers } from '../core/ports.ts';
import type { ServiceStatus } from '../core/status.ts';
import type { Config } from './config/settings.ts';
import type { Observation } from './observation.ts';

/** A service that listens. */
export interface RunningService {
  /** As bound: `0.0.0.0:9001` or `unix:PATH`. */
  readonly grpcAddress: string;
  readonly httpAddress: string;
  /** Undefined where it is off. */
  readonly adminAddress: string | undefined;
  /** Resolves once the service is ready for the first time. */
  readonly ready: Promise<void>;
  status(): ServiceStatus;
  /** Ends in stages (see shutdown.ts); resolves when nothing is left. Never rejects. A second call waits for the first. */
  stop(): Promise<void>;
}

/** What a service needs from outside; whoever makes these closes them, after `stop()`. */
export interface ServiceIo {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly observation: Observation;
}

/** Starts a service and resolves once it listens, ready or not. Throws a Failure where an address cannot be bound or the folder cannot be read. */
export type StartService = (config: Config, io: ServiceIo) => Promise<RunningService>;

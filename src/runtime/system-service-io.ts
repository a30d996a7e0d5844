import type { Config } from './config/settings.ts';
import { createObservation, type ObservationOptions } from './observation.ts';
import type { ServiceIo } from './running-service.ts';
import { systemClock, systemRandom, systemTimers } from './system-ports.ts';

/** The real clock, timers and randomness, and logs and metrics as configured; the caller closes the observation when its service has stopped. */
export function createSystemServiceIo(
  config: Config,
  options: Pick<ObservationOptions, 'version' | 'logTo' | 'processMetrics' | 'worker'>,
): ServiceIo {
  const ports = { clock: systemClock, timers: systemTimers, random: systemRandom };
  return { ...ports, observation: createObservation({ ...options, ...ports, config }) };
}

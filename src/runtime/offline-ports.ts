import type { Logger, PasswordChecker } from '../core/ports.ts';
import type { OfflinePorts } from '../engine/offline-engine.ts';
import { systemClock, systemRandom, systemTimers } from './system-ports.ts';

const nothing = (): void => undefined;
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const noPasswords: PasswordChecker = { matches: () => Promise.resolve(false) };

/** For tools that judge documents, and nobody's password. */
export const offlinePorts: OfflinePorts = {
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
  logger: silent,
  passwords: noPasswords,
};

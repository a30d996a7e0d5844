import { setFlagsFromString } from 'node:v8';

/**
 * Loading many policies makes V8 believe that what requests allocate lives long too, and it puts that among the old objects, where only
 * full collections free it: measured, a check then costs up to seven times as much until V8 has learnt better. To be called before anything is loaded.
 */
export function tuneMemory(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

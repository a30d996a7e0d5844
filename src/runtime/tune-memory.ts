import { setFlagsFromString } from 'node:v8';

/** While policies are loaded the old objects may grow by this much before V8 collects among them, percent. */
const growthWhileLoading = 20;

/**
 * Keeps V8 from taking memory for the loading of policies that it never gives back, and from slowing checks down after it. To be called
 * before anything is loaded, the rest of the program among it; what it gives is to be called when everything is. What is set holds for the process.
 *
 * - Loading many policies makes V8 believe that what requests allocate lives long too, and it puts that among the old objects, where only
 *   full collections free it: measured, a check then costs up to seven times as much until V8 has learnt better. This stays.
 * - Loading makes the space for new objects grow to 64 MB, twice, and the old objects to twice what lives. So neither may grow so far until
 *   everything is loaded. Then both may: under load a check would else cost up to twice as much.
 */
export function tuneMemory(): () => void {
  setFlagsFromString('--no-allocation-site-pretenuring');
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString(`--heap-growing-percent=${growthWhileLoading}`);
  return () => {
    // The defaults of V8.
    setFlagsFromString('--semi-space-growth-factor=2');
    setFlagsFromString('--heap-growing-percent=0');
  };
}

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects all garbage and gives the memory back to the system, for the moment when the service has become ready: what was needed to start
 * is most of the heap by then, and V8 by itself keeps it for as long as nothing else needs room. Stands still for as long as that takes:
 * measured, 50 to 70 ms with a few policies. Requests that come meanwhile wait and are decided then.
 */
export function giveMemoryBack(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  // The last resort is what V8 does before it runs out of memory: it also makes room among code and shrinks the space for new objects.
  if (typeof collect === 'function') collect({ type: 'major', flavor: 'last-resort' });
}

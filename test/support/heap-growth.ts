import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** By how many bytes the heap is larger while `count` values are kept, each made by `make`. */
export function heapGrowth(count: number, make: (n: number) => unknown): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept = Array.from({ length: count }, (_, n) => make(n));
  collect();
  const after = process.memoryUsage().heapUsed;
  return kept.length === count ? after - before : 0;
}

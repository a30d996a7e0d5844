/** What a CheckResponse says; `failed` where there is none. */
export type Verdict = 'allow' | 'unauthenticated' | 'denied' | 'failed';

const prefixBytes = 5;
/** google.rpc.Code. */
const codes: ReadonlyMap<number, Verdict> = new Map([
  [0, 'allow'],
  [16, 'unauthenticated'],
]);

/** Reads a CheckResponse as its encoders write it: `0a 02 08 CODE` behind the gRPC prefix. What begins otherwise is no answer. */
export function verdictOf(start: Buffer | undefined): Verdict {
  if (start === undefined || start.length < prefixBytes + 4 || start[0] !== 0) return 'failed';
  if (start[5] !== 0x0a || start[6] !== 2 || start[7] !== 8) return 'failed';
  return codes.get(start[8] ?? -1) ?? 'denied';
}

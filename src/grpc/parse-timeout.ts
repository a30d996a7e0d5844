const unitMs: ReadonlyMap<string, number> = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1000],
  ['m', 1],
  ['u', 0.001],
  ['n', 0.000_001],
]);

/** `grpc-timeout` (gRPC over HTTP/2, Timeout) in milliseconds: up to eight digits and a unit; undefined where it is none. */
export function parseTimeout(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/u.exec(text) ?? [];
  const factor = unitMs.get(unit);
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

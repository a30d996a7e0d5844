const surrogate = /[\ud800-\udfff]/;

/** CEL counts code points, JavaScript UTF-16 code units; they differ only where there are surrogates. */
export function hasSurrogates(text: string): boolean {
  return surrogate.test(text);
}

/** The number of code points. */
export function lengthOf(text: string): number {
  return hasSurrogates(text) ? Array.from(text).length : text.length;
}

/** The part from one code point to before another; undefined where these are not within the text and in order. */
export function sliceOf(text: string, from: bigint, to: bigint | undefined): string | undefined {
  const points = hasSurrogates(text) ? Array.from(text) : undefined;
  const length = points?.length ?? text.length;
  const end = to ?? BigInt(length);
  if (from < 0n || end < from || end > BigInt(length)) return undefined;
  const [start, stop] = [Number(from), Number(end)];
  return points === undefined ? text.slice(start, stop) : points.slice(start, stop).join('');
}

/** A position in UTF-16 code units as one in code points. */
export function toPoints(text: string, units: number): number {
  return units <= 0 ? units : lengthOf(text.slice(0, units));
}

/** A position in code points as one in UTF-16 code units. */
export function toUnits(text: string, points: number): number {
  return hasSurrogates(text) ? Array.from(text).slice(0, points).join('').length : points;
}

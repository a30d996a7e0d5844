/** The bytes in memory of their own, exactly as much: whoever keeps them keeps nothing else. */
export function copyBytes(source: Buffer, start = 0, end = source.length): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  source.copy(copy, 0, start, end);
  return copy;
}

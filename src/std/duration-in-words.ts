const units = [
  ['year', 31_536_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

/** A time span (seconds, not negative) in its largest unit, rounded down: `2 hours`, `1 minute`, `0 seconds`. */
export function durationInWords(seconds: number): string {
  for (const [unit, size] of units) if (seconds >= size) return count(Math.floor(seconds / size), unit);
  return count(Math.floor(seconds), 'second');
}

function count(amount: number, unit: string): string {
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}

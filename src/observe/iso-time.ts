import type { Clock } from '../core/ports.ts';

/** A function that answers the time as RFC 3339 in UTC with milliseconds: the date is formatted once a second, which is most of the cost, the rest once a millisecond. */
export function compileIsoTime(clock: Clock): () => string {
  let second = Number.NaN;
  let prefix = '';
  let last = Number.NaN;
  let text = '';
  return () => {
    const now = Math.floor(clock.now());
    if (now === last) return text;
    last = now;
    const current = Math.floor(now / 1000);
    if (current !== second) {
      second = current;
      prefix = new Date(current * 1000).toISOString().slice(0, 20);
    }
    text = `${prefix}${String(now - current * 1000).padStart(3, '0')}Z`;
    return text;
  };
}

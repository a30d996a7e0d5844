/** Above this a regular expression would hold its reader for some milliseconds; a UUID's has about 60. */
export const maxPatternCost = 2500;

interface Level {
  /** Of what stands in the group so far. */
  sum: number;
  /** Of the last piece, which a repetition behind it multiplies. */
  last: number;
}

/**
 * About how many instructions RE2 makes of a pattern, its repetitions written out. An upper bound for patterns that RE2 accepts, good
 * enough to refuse what a few characters such as `(x{1000}y{1000})` blow up to.
 */
export function patternCost(source: string): number {
  const levels: Level[] = [{ sum: 0, last: 0 }];
  for (const [piece, repeat] of source.matchAll(pieces)) {
    const level = levels.at(-1) ?? { sum: 0, last: 0 };
    if (piece === '(') levels.push({ sum: 0, last: 0 });
    else if (piece === ')' && levels.length > 1) {
      levels.pop();
      add(levels.at(-1) ?? level, level.sum + 2);
    } else if (repeat === undefined) add(level, 1);
    else {
      const copies = Math.max(...repeat.split(',').map(Number));
      level.sum += level.last * Math.max(0, copies - 1);
      level.last *= Math.max(1, copies);
    }
  }
  // Groups that are not closed are refused by RE2, after it has read them.
  return levels.reduce((sum, level) => sum + level.sum, 0);
}

/** An escape, a class, a repetition with its numbers, or any one character. */
const pieces =
  /\\(?:[pP]\{[^}]{0,40}\}|[\s\S])|\[\^?\]?(?:\\[\s\S]|\[:\^?\w{1,10}:\]|[^\]\\])*(?:\]|$)|\{(\d{1,6}(?:,\d{0,6})?)\}|[\s\S]/g;

function add(level: Level, cost: number): void {
  level.sum += cost;
  level.last = cost;
}

import type { Headers, RawHeaders } from '../core/request.ts';

/** Header fields by name: duplicates joined with a comma in the order received, and counted. What is asked for is read once. */
export function readHeaders(raw: RawHeaders): Headers {
  const values = new Map<string, string>();
  const read = (name: string): string | undefined => {
    const first = raw.find(name, 0);
    if (first < 0) return undefined;
    let value = raw.valueAt(first);
    for (let at = raw.find(name, first + 1); at >= 0; at = raw.find(name, at + 1)) value += `,${raw.valueAt(at)}`;
    values.set(name, value);
    return value;
  };
  return {
    get: (name) => values.get(name) ?? read(name),
    count: (name) => {
      let count = 0;
      for (let at = raw.find(name, 0); at >= 0; at = raw.find(name, at + 1)) count++;
      return count;
    },
    isText: (name) => {
      for (let at = raw.find(name, 0); at >= 0; at = raw.find(name, at + 1)) if (!raw.isTextAt(at)) return false;
      return true;
    },
    names: () => new Set(Array.from(raw, ({ name }) => name)),
    underscored: raw.underscored,
  };
}

import type { Headers, RawHeader } from '../core/request.ts';

/** Gathers header fields by name: duplicates joined with a comma in the order received, and counted. */
export function readHeaders(raw: readonly RawHeader[]): Headers {
  const values = new Map<string, string>();
  let counts: Map<string, number> | undefined;
  let notText: Set<string> | undefined;
  for (const { name, value, isText } of raw) {
    const before = values.get(name);
    if (before === undefined) values.set(name, value);
    else {
      values.set(name, `${before},${value}`);
      counts ??= new Map();
      counts.set(name, (counts.get(name) ?? 1) + 1);
    }
    if (!isText) (notText ??= new Set()).add(name);
  }
  return {
    get: (name) => values.get(name),
    count: (name) => counts?.get(name) ?? (values.has(name) ? 1 : 0),
    isText: (name) => notText === undefined || !notText.has(name),
    names: () => values.keys(),
  };
}

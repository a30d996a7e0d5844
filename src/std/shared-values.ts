/**
 * Gives for a value the one that says the same, where somebody has it: a thousand policies that ask for the same role keep it once. Values
 * are the same where their JSON is, members in the same order, so they must be plain data that nobody changes. What nobody else has any
 * more is forgotten.
 */
export function createSharedValues<T extends object>(): (value: T) => T {
  const known = createSharedByText<T>();
  return (value) => {
    const text = JSON.stringify(value);
    const same = known.get(text);
    if (same === undefined) known.set(text, value);
    return same ?? value;
  };
}

/** The compiler, which compiles each object once for as long as somebody has it; what it compiles must hold no state. */
export function compileOnce<S extends object, T>(compile: (spec: S) => T): (spec: S) => T {
  const known = new WeakMap<S, { readonly compiled: T }>();
  return (spec) => {
    const before = known.get(spec);
    if (before !== undefined) return before.compiled;
    const compiled = compile(spec);
    known.set(spec, { compiled });
    return compiled;
  };
}

/** What somebody has of what was made for a text: found again for as long as anybody has it, so that two never have copies. */
export interface SharedByText<T extends object> {
  get(text: string): T | undefined;
  set(text: string, value: T): void;
}

export function createSharedByText<T extends object>(): SharedByText<T> {
  const known = new Map<string, WeakRef<T>>();
  const forget = new FinalizationRegistry<string>((text) => {
    if (known.get(text)?.deref() === undefined) known.delete(text);
  });
  return {
    get: (text) => known.get(text)?.deref(),
    set: (text, value) => {
      known.set(text, new WeakRef(value));
      forget.register(value, text);
    },
  };
}

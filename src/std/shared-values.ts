/**
 * Gives for a value the one that says the same, where somebody has it: a thousand policies that ask for the same role keep it once. Values
 * are the same where their JSON is, members in the same order, so they must be plain data that nobody changes. What nobody else has any
 * more is forgotten.
 */
export function createSharedValues<T extends object>(): (value: T) => T {
  const known = new Map<string, WeakRef<T>>();
  const forget = new FinalizationRegistry<string>((text) => {
    if (known.get(text)?.deref() === undefined) known.delete(text);
  });
  return (value) => {
    const text = JSON.stringify(value);
    const same = known.get(text)?.deref();
    if (same !== undefined) return same;
    known.set(text, new WeakRef(value));
    forget.register(value, text);
    return value;
  };
}

/** The compiler, which compiles each object once for as long as somebody has it; what it compiles must hold no state. */
export function compileOnce<S extends object, T>(compile: (spec: S) => T): (spec: S) => T {
  const known = new WeakMap<S, { readonly compiled: T }>();
  return (spec) => {
    const { compiled } = known.get(spec) ?? { compiled: compile(spec) };
    if (!known.has(spec)) known.set(spec, { compiled });
    return compiled;
  };
}

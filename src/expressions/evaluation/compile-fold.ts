import { sizeOf, type Fold, type Tree } from '../language/tree.ts';
import { Fault } from '../values/fault.ts';
import { guards, isList } from '../values/kind.ts';
import { spend, spendList, type Meter } from '../values/meter.ts';
import type { Value } from '../values/value.ts';
import type { Compilation, Evaluate, Frame, Locals } from './frame.ts';

const notBool = new Fault('value', 'the condition of the macro is not a bool');
const notRange = new Fault('value', 'a macro loops over a list or the keys of a map');

/** One step of a loop; a value ends it. */
interface Loop {
  step(frame: Frame, element: Value): Value | Fault | undefined;
  end(): Value | Fault;
}

/** The macros that loop. Each step is paid for by the size of what it evaluates. */
export function compileFold(fold: Fold, locals: Locals, compilation: Compilation): Evaluate {
  const number = nextNumber(locals);
  const inside: Locals = new Map([...locals, [fold.variable, number]]);
  const range = compilation.compile(fold.range, locals);
  const body = compilation.compile(fold.body, inside);
  const filter = fold.filter === undefined ? undefined : compilation.compile(fold.filter, inside);
  const cost = 1 + sizeOf(fold.body) + (fold.filter === undefined ? 0 : sizeOf(fold.filter));
  const start = loopOf(fold, body, filter);
  return (frame) => {
    const elements = toElements(range(frame), frame);
    if (elements instanceof Fault) return elements;
    const loop = start();
    for (const element of elements) {
      const over = spend(frame, cost);
      if (over !== undefined) return over;
      frame.locals[number] = element;
      const done = loop.step(frame, element);
      if (done !== undefined) return done;
    }
    return loop.end();
  };
}

/** `cel.bind(name, value, body)`. */
export function compileBind(tree: Extract<Tree, { op: 'bind' }>, locals: Locals, compilation: Compilation): Evaluate {
  const number = nextNumber(locals);
  const value = compilation.compile(tree.value, locals);
  const body = compilation.compile(tree.body, new Map([...locals, [tree.variable, number]]));
  return (frame) => {
    const bound = value(frame);
    if (bound instanceof Fault) return bound;
    frame.locals[number] = bound;
    return body(frame);
  };
}

/** A number of its own, also where the name hides another variable. */
function nextNumber(locals: Locals): number {
  return 1 + Math.max(-1, ...locals.values());
}

function toElements(range: Value | Fault, meter: Meter): readonly Value[] | Fault {
  if (range instanceof Fault) return range;
  if (isList(range)) return spendList(meter, range.length) ?? range;
  if (!guards.map(range)) return notRange;
  return spendList(meter, range.source.size) ?? [...range.source.keys()];
}

function loopOf(fold: Fold, body: Evaluate, filter: Evaluate | undefined): () => Loop {
  switch (fold.macro) {
    case 'all':
      return () => quantifier(body, false);
    case 'exists':
      return () => quantifier(body, true);
    case 'exists_one':
      return () => existsOne(body);
    case 'filter':
      return () => collector(body, undefined);
    case 'map':
      return () => collector(filter, body);
  }
}

/** `exists` (`decides` true) and `all` (false): one deciding element is enough, whatever goes wrong for the others. */
function quantifier(body: Evaluate, decides: boolean): Loop {
  let fault: Fault | undefined;
  return {
    step: (frame) => {
      const value = body(frame);
      if (value === decides) return decides;
      if (value !== !decides) fault ??= value instanceof Fault ? value : notBool;
      return undefined;
    },
    end: () => fault ?? !decides,
  };
}

function existsOne(body: Evaluate): Loop {
  let count = 0;
  return {
    step: (frame) => {
      const value = body(frame);
      if (value === true) count += 1;
      else if (value !== false) return value instanceof Fault ? value : notBool;
      return undefined;
    },
    end: () => count === 1,
  };
}

/** `filter` and `map`, which keep what `test` holds for, as it is or transformed. */
function collector(test: Evaluate | undefined, transform: Evaluate | undefined): Loop {
  const kept: Value[] = [];
  return {
    step: (frame, element) => {
      const holds = test?.(frame) ?? true;
      if (holds === false) return undefined;
      if (holds !== true) return holds instanceof Fault ? holds : notBool;
      const value = transform === undefined ? element : transform(frame);
      if (value instanceof Fault) return value;
      kept.push(value);
      return undefined;
    },
    end: () => kept,
  };
}

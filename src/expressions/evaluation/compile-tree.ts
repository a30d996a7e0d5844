import type { PatternBudget } from '../../std/pattern-budget.ts';
import type { Environment } from '../environment.ts';
import type { Tree } from '../language/tree.ts';
import { negate } from '../operators/arithmetic.ts';
import { Fault } from '../values/fault.ts';
import { toKey } from '../values/key.ts';
import { guards } from '../values/kind.ts';
import { spendList } from '../values/meter.ts';
import { MapValue, OptionalValue, type Key, type Value } from '../values/value.ts';
import { compileBinary } from './compile-binary.ts';
import { compileCall } from './compile-call.ts';
import { compileBind, compileFold } from './compile-fold.ts';
import { compileHas, compileMember } from './compile-member.ts';
import { compileName } from './compile-name.ts';
import type { Compilation, Evaluate, Locals } from './frame.ts';
import type { UsedPattern } from './used-pattern.ts';

export interface CompiledTree {
  readonly kind: 'compiled';
  readonly evaluate: Evaluate;
  /** The regular expressions that are literals of it. */
  readonly patterns: readonly UsedPattern[];
  /** Compiles another tree of the same expression. */
  readonly compile: (tree: Tree) => Evaluate;
}

export interface RefusedTree {
  readonly kind: 'invalid';
  readonly why: string;
  readonly position: number;
}

const noLocals: Locals = new Map();
const notBool = new Fault('value', 'a logical operator takes bool alone');
const badKey = new Fault('value', 'the value cannot be the key of a map');
const twice = new Fault('value', 'the map has a key twice');
const notOptional = new Fault('value', 'or() and orValue() take optionals alone');

/** Compiles a checked tree into a closure; what only a literal can get wrong (a regular expression, a range) is found here. */
export function compileTree(tree: Tree, environment: Environment, budget: PatternBudget): CompiledTree | RefusedTree {
  let refused: RefusedTree | undefined;
  const patterns: UsedPattern[] = [];
  const compilation: Compilation = {
    environment,
    compile: (part, locals) => compileNode(part, locals, compilation),
    refuse: (position, why) => {
      refused ??= { kind: 'invalid', why, position };
      return () => notBool;
    },
    patterns,
    budget,
  };
  const evaluate = compilation.compile(tree, noLocals);
  return refused ?? { kind: 'compiled', evaluate, patterns, compile: (part) => compilation.compile(part, noLocals) };
}

function compileNode(tree: Tree, locals: Locals, compilation: Compilation): Evaluate {
  const compile = (part: Tree): Evaluate => compilation.compile(part, locals);
  switch (tree.op) {
    case 'literal':
      return () => tree.value;
    case 'name':
      return compileName(tree.name, locals, compilation.environment);
    case 'member':
      return compileMember(tree, locals, compilation);
    case 'has':
      return compileHas(tree.member, locals, compilation);
    case 'call':
      return compileCall(tree, locals, compilation);
    case 'binary':
      return compileBinary(tree, locals, compilation);
    case 'list':
      return compileList(tree.elements.map(compile));
    case 'map':
      return compileMap(tree.entries.map(([key, value]) => [compile(key), compile(value)]));
    case 'if':
      return compileIf(compile(tree.test), compile(tree.yes), compile(tree.no));
    case 'and':
      return compileChain(tree.terms.map(compile), false);
    case 'or':
      return compileChain(tree.terms.map(compile), true);
    case 'not':
      return compileNot(compile(tree.of));
    case 'negative':
      return compileNegative(compile(tree.of));
    case 'fold':
      return compileFold(tree, locals, compilation);
    case 'bind':
      return compileBind(tree, locals, compilation);
    case 'orOptional':
    case 'orValue':
      return compileOr(compile(tree.of), compile(tree.other), tree.op === 'orOptional');
  }
}

/** `test ? yes : no`. */
export function compileIf(test: Evaluate, yes: Evaluate, no: Evaluate): Evaluate {
  return (frame) => {
    const holds = test(frame);
    if (holds === true) return yes(frame);
    if (holds === false) return no(frame);
    return holds instanceof Fault ? holds : notBool;
  };
}

/** `||` (`decides` true) and `&&` (false): one deciding term is enough, whatever goes wrong in the others, on either side of it. */
function compileChain(terms: readonly Evaluate[], decides: boolean): Evaluate {
  return (frame) => {
    let fault: Fault | undefined;
    for (const term of terms) {
      const value = term(frame);
      if (value === decides) return decides;
      if (value !== !decides) fault ??= value instanceof Fault ? value : notBool;
    }
    return fault ?? !decides;
  };
}

function compileNot(of: Evaluate): Evaluate {
  return (frame) => {
    const value = of(frame);
    if (typeof value === 'boolean') return !value;
    return value instanceof Fault ? value : notBool;
  };
}

function compileNegative(of: Evaluate): Evaluate {
  return (frame) => {
    const value = of(frame);
    return value instanceof Fault ? value : negate(value);
  };
}

function compileList(elements: readonly Evaluate[]): Evaluate {
  return (frame) => {
    const over = spendList(frame, elements.length);
    if (over !== undefined) return over;
    const values: Value[] = [];
    for (const element of elements) {
      const value = element(frame);
      if (value instanceof Fault) return value;
      values.push(value);
    }
    return values;
  };
}

function compileMap(entries: readonly (readonly [Evaluate, Evaluate])[]): Evaluate {
  return (frame) => {
    const over = spendList(frame, entries.length);
    if (over !== undefined) return over;
    const map = new Map<Key, Value>();
    for (const [evaluateKey, evaluateValue] of entries) {
      const written = evaluateKey(frame);
      if (written instanceof Fault) return written;
      const key = typeof written === 'number' ? undefined : toKey(written);
      if (key === undefined) return badKey;
      if (map.has(key)) return twice;
      const value = evaluateValue(frame);
      if (value instanceof Fault) return value;
      map.set(key, value);
    }
    return new MapValue(map);
  };
}

function compileOr(of: Evaluate, other: Evaluate, keepsOptional: boolean): Evaluate {
  return (frame) => {
    const optional = of(frame);
    if (optional instanceof Fault) return optional;
    if (!(optional instanceof OptionalValue)) return notOptional;
    if (optional.value !== undefined) return keepsOptional ? optional : optional.value;
    const instead = other(frame);
    return !keepsOptional || instead instanceof Fault || guards.optional(instead) ? instead : notOptional;
  };
}

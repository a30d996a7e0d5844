import type { Environment } from '../environment.ts';
import { limits } from '../limits.ts';
import { createChecker, Rejection, type Checker } from './library.ts';
import { readTree } from './read-tree.ts';
import { suggest } from './suggest.ts';
import type { Tree } from './tree.ts';

export interface InvalidSource {
  readonly kind: 'invalid';
  /** What is wrong, without a full stop. */
  readonly why: string;
  /** The offset in the source, from 0, as near as can be said. */
  readonly position: number;
}

export interface CheckedSource {
  readonly kind: 'checked';
  readonly tree: Tree;
  /** In CEL's spelling: `bool`, `list<string>`, `dyn`. */
  readonly type: string;
}

const checkers = new WeakMap<Environment, Checker>();

/** Parses an expression and checks its names, types and size against the environment. */
export function readSource(source: string, environment: Environment): CheckedSource | InvalidSource {
  if (source.length > limits.sourceLength) {
    return { kind: 'invalid', why: `it is longer than ${limits.sourceLength} characters`, position: 0 };
  }
  try {
    const parsed = checkerOf(environment).parse(source);
    const tree = readTree(parsed.ast);
    return { kind: 'checked', tree, type: parsed.check() };
  } catch (thrown) {
    if (!(thrown instanceof Rejection)) throw thrown;
    const position = thrown.position ?? 0;
    const meant = suggest(source, position, environment);
    return { kind: 'invalid', why: meant === undefined ? thrown.message : `${thrown.message}; ${meant}`, position };
  }
}

/** Made once for each environment: it holds the whole table of functions. */
function checkerOf(environment: Environment): Checker {
  const known = checkers.get(environment);
  if (known !== undefined) return known;
  const checker = createChecker(environment);
  checkers.set(environment, checker);
  return checker;
}

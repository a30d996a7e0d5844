import type { PatternBudget } from '../../std/pattern-budget.ts';
import type { Environment } from '../environment.ts';
import type { Tree } from '../language/tree.ts';
import { limits } from '../limits.ts';
import type { Scope } from '../scope.ts';
import type { Fault } from '../values/fault.ts';
import type { Meter } from '../values/meter.ts';
import type { Value } from '../values/value.ts';
import type { UsedPattern } from './used-pattern.ts';

/** One evaluation under way. */
export class Frame implements Meter {
  left: number;
  readonly scope: Scope;
  readonly #given: number;
  /** The variables of macros, by the number that compilation gave them. */
  readonly locals: Value[] = [];

  constructor(scope: Scope) {
    this.scope = scope;
    this.#given = Math.min(limits.work, scope.request.workLeft);
    this.left = this.#given;
  }

  /** Takes the work done off what the check may still do. */
  settle(): void {
    this.scope.request.workLeft -= this.#given - this.left;
  }
}

/** A node at work. Never throws; what goes wrong is a Fault. */
export type Evaluate = (frame: Frame) => Value | Fault;

/** The variables of macros around a node, and their numbers. */
export type Locals = ReadonlyMap<string, number>;

/** What the compilation of a node needs beside the node. */
export interface Compilation {
  readonly environment: Environment;
  compile(tree: Tree, locals: Locals): Evaluate;
  /** Notes what makes the expression invalid; returns what to compile in its place. */
  refuse(at: number, why: string): Evaluate;
  /** The regular expressions that are compiled when the expression is read, each once. */
  readonly patterns: UsedPattern[];
  /** Of all expressions that are read with it. */
  readonly budget: PatternBudget;
}

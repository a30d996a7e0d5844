import { countedBefore, type PatternBudget } from '../std/pattern-budget.ts';
import { createSharedByText } from '../std/shared-values.ts';
import type { Environment } from './environment.ts';
import { compileIf, compileTree, type CompiledTree } from './evaluation/compile-tree.ts';
import { Frame, type Evaluate } from './evaluation/frame.ts';
import { spendPattern, type UsedPattern } from './evaluation/used-pattern.ts';
import { toHeaderValue, isHeaderType, type HeaderValue } from './header-value.ts';
import { readSource } from './language/read-source.ts';
import { isPath, type Tree } from './language/tree.ts';
import { policyEnvironments, type PolicyEnvironment } from './policy-environments.ts';
import type { Scope } from './scope.ts';
import { Fault, type FaultCode } from './values/fault.ts';
import { isList } from './values/kind.ts';
import { none } from './values/value.ts';

export interface Expression<T> {
  readonly kind: 'expression';
  /** Of the result, in CEL's spelling. */
  readonly type: string;
  /** The regular expressions that are literals of it. */
  readonly patterns: readonly UsedPattern[];
  /** Never throws. */
  evaluate(scope: Scope): { readonly value: T } | ExpressionFailure;
}

/** An evaluation without a value: it denies (S24). */
export interface ExpressionFailure {
  /** Why, in a clause that names what the policy says and holds nothing of the request. */
  readonly failure: string;
  readonly code: FaultCode;
}

export interface InvalidExpression {
  readonly kind: 'invalid';
  /** A clause without a full stop. */
  readonly why: string;
  /** Offset in the source, from 0. */
  readonly position: number;
}

/** What an expression gives: for `header` texts or undefined for absent (S25), for the conditions a boolean, else just what the name says. */
export interface ExpressionResults {
  readonly header: HeaderValue;
  readonly condition: boolean;
  readonly deniedCondition: boolean;
  readonly text: string;
  readonly texts: readonly string[];
}

/** Those that somebody has: an expression holds nothing of its evaluations. */
const inUse = createSharedByText<Expression<Result>>();
type Result = ExpressionResults[PolicyEnvironment];

/**
 * Compiles the source for its place in a policy; an unknown name, a wrong type or a result of the wrong type is invalid, and so is one
 * whose regular expressions are more than is left in `patterns`, by default without end.
 */
export function compileExpression<E extends PolicyEnvironment>(
  source: string,
  environment: E,
  patterns?: PatternBudget,
): Expression<ExpressionResults[E]> | InvalidExpression;
export function compileExpression(
  source: string,
  environment: PolicyEnvironment,
  patterns = countedBefore,
): Expression<Result> | InvalidExpression {
  const key = `${environment} ${source}`;
  const known = inUse.get(key);
  if (known === undefined) {
    const compiled = compileAnew(source, environment, patterns);
    if (compiled.kind === 'expression') inUse.set(key, compiled);
    return compiled;
  }
  for (const pattern of known.patterns) {
    const why = spendPattern(pattern, patterns);
    if (why !== undefined) return { kind: 'invalid', why, position: pattern.at };
  }
  return known;
}

function compileAnew(
  source: string,
  environment: PolicyEnvironment,
  patterns: PatternBudget,
): Expression<Result> | InvalidExpression {
  switch (environment) {
    case 'header':
      return compileWith(source, policyEnvironments.header, isHeaderType, headerValueOf, patterns);
    case 'text':
      return compileWith(source, policyEnvironments.text, isTextType, textOf, patterns);
    case 'texts':
      return compileWith(source, policyEnvironments.texts, isTextsType, textsOf, patterns);
    case 'condition':
    case 'deniedCondition':
      return compileWith(source, policyEnvironments[environment], isBoolType, booleanOf, patterns);
  }
}

/** Compiles the source against any environment. `accept` says why a type will not do; `convert` takes the value where it is wanted. */
export function compileWith<T>(
  source: string,
  environment: Environment,
  accept: (type: string) => string | undefined,
  convert: (value: ReturnType<Evaluate>) => T | Fault,
  patterns = countedBefore,
): Expression<T> | InvalidExpression {
  const checked = readSource(source, environment);
  if (checked.kind === 'invalid') return checked;
  const why = accept(checked.type);
  if (why !== undefined) return { kind: 'invalid', why, position: 0 };
  const compiled = compileTree(checked.tree, environment, patterns);
  if (compiled.kind === 'invalid') return compiled;
  const evaluate = environment.result === 'header' ? allowAbsent(checked.tree, compiled) : compiled.evaluate;
  return {
    kind: 'expression',
    type: checked.type,
    patterns: compiled.patterns,
    evaluate: (scope) => {
      const frame = new Frame(scope);
      const value = convert(evaluate(frame));
      frame.settle();
      if (value instanceof Fault) return { failure: value.why, code: value.code };
      // A limit that was passed is not forgotten, whatever `||` made of it.
      return frame.left < 0 ? { failure: 'the expression does more work than it may', code: 'limit' } : { value };
    },
  };
}

/**
 * S25: what the expression names, as a whole or as the branch of `?:` that was taken, may be absent. An absent key anywhere else
 * (`identity.claims.a + "x"`) is an error.
 */
function allowAbsent(tree: Tree, compiled: CompiledTree): Evaluate {
  if (tree.op === 'if') {
    return compileIf(compiled.compile(tree.test), allowAbsent(tree.yes, compiled), allowAbsent(tree.no, compiled));
  }
  const evaluate = compiled.compile(tree);
  if (!isPath(tree)) return evaluate;
  return (frame) => {
    const value = evaluate(frame);
    return value instanceof Fault && value.code === 'absent' ? none : value;
  };
}

function headerValueOf(value: ReturnType<Evaluate>): HeaderValue | Fault {
  return value instanceof Fault ? value : toHeaderValue(value);
}

const notText = new Fault('result', 'the value is not a text');
const notTexts = new Fault('result', 'the value is not a list of texts');

function textOf(value: ReturnType<Evaluate>): string | Fault {
  return typeof value === 'string' || value instanceof Fault ? value : notText;
}

function textsOf(value: ReturnType<Evaluate>): readonly string[] | Fault {
  if (value instanceof Fault) return value;
  if (!isList(value)) return notTexts;
  const texts: string[] = [];
  for (const element of value) {
    if (typeof element !== 'string') return notTexts;
    texts.push(element);
  }
  return texts;
}

function isTextType(type: string): string | undefined {
  return type === 'string' || type === 'dyn' ? undefined : `the value is of type ${type}, not a text`;
}

function isTextsType(type: string): string | undefined {
  const may = ['list<string>', 'list<dyn>', 'list<T>', 'list', 'dyn'];
  return may.includes(type) ? undefined : `the value is of type ${type}, not a list of texts`;
}

const notBool = new Fault('result', 'the condition is not a bool');

function booleanOf(value: ReturnType<Evaluate>): boolean | Fault {
  return typeof value === 'boolean' || value instanceof Fault ? value : notBool;
}

/** S24: what may be anything (a claim) is no condition. */
function isBoolType(type: string): string | undefined {
  if (type === 'bool') return undefined;
  return type === 'dyn'
    ? 'the condition may be of any type: compare it, as in identity.claims.admin == true'
    : `the condition is of type ${type}, not bool`;
}

import type { PatternBudget } from '../std/pattern-budget.ts';
import { compileExpression, type ExpressionFailure, type InvalidExpression } from './compile-expression.ts';
import type { Scope } from './scope.ts';

export interface Condition {
  readonly kind: 'condition';
  /** Never throws; a failure denies (S24), in a Denied rule it counts as a match (S15). */
  test(scope: Scope): ConditionResult;
}

export type ConditionResult = 'true' | 'false' | ExpressionFailure;

/** Compiles a `when`: of a rule that allows, or of a Denied rule, which sees the request alone. */
export function compileCondition(
  source: string,
  which: 'condition' | 'deniedCondition',
  patterns?: PatternBudget,
): Condition | InvalidExpression {
  const expression = compileExpression(source, which, patterns);
  if (expression.kind === 'invalid') return expression;
  return {
    kind: 'condition',
    test: (scope) => {
      const result = expression.evaluate(scope);
      if ('failure' in result) return result;
      return result.value ? 'true' : 'false';
    },
  };
}

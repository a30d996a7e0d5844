import { denial, type Denial } from '../../core/decision.ts';
import { compileCondition, type Condition } from '../../expressions/compile-condition.ts';
import type { ExpressionFailure } from '../../expressions/compile-expression.ts';
import { requestOnly, type RequestScope } from '../../expressions/scope.ts';
import type { ConditionSpec } from '../../policy/spec.ts';
import type { ImmediateTest } from './authorization-test.ts';

/** Compiles `when`: each must be true, and one that cannot be evaluated denies (S24). The message is the author's where there is one. */
export function compileConditions(specs: readonly ConditionSpec[]): ImmediateTest {
  const tests = specs.map((spec) => ({
    asks: spec.expression,
    condition: checked(spec, 'condition'),
    failed: denial('condition_failed', spec.message),
  }));
  return (input) => {
    const scope = input.scope();
    let objection: Denial | undefined;
    for (const { asks, condition, failed } of tests) {
      const result = condition.test(scope);
      const found = result === 'true' ? undefined : result === 'false' ? failed : broken(result);
      if (typeof result !== 'string') scope.request.noteFailure('condition');
      const value = typeof result === 'string' ? result === 'true' : undefined;
      input.tell?.({ what: 'condition', asks, value, objection: found, block: undefined });
      if (found !== undefined && input.tell === undefined) return found;
      objection ??= found;
    }
    return objection;
  };
}

/** Says what is missing by the name that the author wrote; a value is never in it. */
function broken({ failure }: ExpressionFailure): Denial {
  return denial('condition_error', `A condition of the rule could not be evaluated: ${failure}.`);
}

/** Compiles the `when` of a Denied rule: it hits where every condition is true or cannot be evaluated (S15). */
export function compileDeniedConditions(
  specs: readonly ConditionSpec[],
): ((request: RequestScope) => boolean) | undefined {
  if (specs.length === 0) return undefined;
  const conditions = specs.map((spec) => checked(spec, 'deniedCondition'));
  return (request) => {
    const scope = requestOnly(request);
    return conditions.every((condition) => {
      const result = condition.test(scope);
      if (typeof result !== 'string') request.noteFailure('denied_rule');
      return result !== 'false';
    });
  };
}

function checked({ expression }: ConditionSpec, which: 'condition' | 'deniedCondition'): Condition {
  const compiled = compileCondition(expression, which);
  if (compiled.kind === 'invalid') throw new TypeError(`unchecked condition: ${compiled.why}`);
  return compiled;
}

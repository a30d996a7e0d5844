import { compileCondition } from '../expressions/compile-condition.ts';
import { describeInvalid } from './describe-invalid.ts';
import type { ConditionShape } from './document-shape.ts';
import type { FieldPath, ProblemList } from './problem-list.ts';
import { conditionForm } from './right-form.ts';
import type { ConditionSpec } from './spec.ts';

/** Reads `when`; an expression that is none, or gives no boolean, is a Problem (S24). */
export function readConditions(
  shapes: readonly ConditionShape[],
  which: 'condition' | 'deniedCondition',
  at: FieldPath,
  problems: ProblemList,
): readonly ConditionSpec[] {
  return shapes.map(({ expression, message }, index) => {
    const compiled = compileCondition(expression, which, problems.patterns);
    if (compiled.kind === 'invalid') {
      problems.error('invalid-expression', [...at, index, 'expression'], describeInvalid(expression, compiled));
    }
    return { expression, message };
  });
}

/** The `when` of a rule itself, which only Denied rules have (S15). */
export function readDeniedConditions(
  rule: { readonly access: string; readonly when?: readonly ConditionShape[] },
  at: FieldPath,
  problems: ProblemList,
): readonly ConditionSpec[] {
  if (rule.when === undefined) return [];
  if (rule.access !== 'Denied') {
    problems.error(
      'invalid-value',
      [...at, 'when'],
      `only a Denied rule has its conditions here, not one with access ${rule.access}: write ${conditionForm()}`,
    );
    return [];
  }
  return readConditions(rule.when, 'deniedCondition', [...at, 'when'], problems);
}

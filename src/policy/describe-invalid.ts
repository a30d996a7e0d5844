import type { InvalidExpression } from '../expressions/compile-expression.ts';
import { quote } from './problem-list.ts';

/** The sentence of an `invalid-expression`: the part of the expression where the mistake is, what it is, and where in the expression. */
export function describeInvalid(expression: string, { why, position }: InvalidExpression): string {
  const before = expression.slice(0, position);
  const line = before.split('\n').length;
  const column = position - (before.lastIndexOf('\n') + 1) + 1;
  const place = expression.includes('\n') ? `line ${line}, character ${column}` : `character ${column}`;
  const rest = expression.slice(Math.max(0, position - 20));
  const shown = position > 20 ? `...${rest}` : expression;
  return `${quote(shown)}: ${why} (${place} of the expression)`;
}

import type { Tree } from '../language/tree.ts';
import { calculate } from '../operators/arithmetic.ts';
import { equal, listHas } from '../operators/equality.ts';
import { inOrder } from '../operators/order.ts';
import { Fault } from '../values/fault.ts';
import { toKey } from '../values/key.ts';
import { guards, isList } from '../values/kind.ts';
import type { Meter } from '../values/meter.ts';
import type { Value } from '../values/value.ts';
import { whyKeyIsRefused } from './compile-member.ts';
import type { Compilation, Evaluate, Locals } from './frame.ts';

const notContainer = new Fault('value', 'in takes a list or a map');

/** The operators of two operands but `||` and `&&`. */
export function compileBinary(
  tree: Extract<Tree, { op: 'binary' }>,
  locals: Locals,
  compilation: Compilation,
): Evaluate {
  const left = compilation.compile(tree.left, locals);
  const right = compilation.compile(tree.right, locals);
  const { operator } = tree;
  switch (operator) {
    case '==':
      return withBoth(left, right, equal);
    case '!=':
      return withBoth(left, right, (a, b, meter) => {
        const same = equal(a, b, meter);
        return same instanceof Fault ? same : !same;
      });
    case '<':
    case '<=':
    case '>':
    case '>=':
      return withBoth(left, right, (a, b, meter) => inOrder(operator, a, b, meter));
    case 'in': {
      const why = whyKeyIsRefused(tree.right, tree.left, locals, compilation);
      return why === undefined ? withBoth(left, right, isIn) : compilation.refuse(tree.left.at, why);
    }
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return withBoth(left, right, (a, b, meter) => calculate(operator, a, b, meter));
  }
}

function withBoth(
  left: Evaluate,
  right: Evaluate,
  operate: (a: Value, b: Value, meter: Meter) => Value | Fault,
): Evaluate {
  return (frame) => {
    const a = left(frame);
    if (a instanceof Fault) return a;
    const b = right(frame);
    return b instanceof Fault ? b : operate(a, b, frame);
  };
}

function isIn(value: Value, container: Value, meter: Meter): boolean | Fault {
  if (isList(container)) return listHas(container, value, meter);
  if (!guards.map(container)) return notContainer;
  const key = toKey(value);
  // A value that cannot be read is there all the same.
  return key !== undefined && container.source.get(key) !== undefined;
}

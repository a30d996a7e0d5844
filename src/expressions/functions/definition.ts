import type { Fault } from '../values/fault.ts';
import { guards, type Kind, type KindTypes } from '../values/kind.ts';
import type { Meter } from '../values/meter.ts';
import type { Value } from '../values/value.ts';

/** One overload of a function. */
export interface FunctionDefinition extends Body {
  readonly name: string;
  /** `method`: the first parameter is the receiver. */
  readonly style: 'function' | 'method';
  /** For functions such as `base64.encode`. */
  readonly namespace: string | undefined;
  /** The type of the result, in CEL's spelling. */
  readonly returns: string;
}

export interface Body {
  readonly params: readonly Kind[];
  /** Undefined where the arguments are not of the kinds it takes. */
  readonly run: (args: readonly Value[], meter: Meter) => Value | Fault | undefined;
}

type Outcome = Value | Fault;

/** `name(...)`. */
export function plain(name: string, returns: string, body: Body): FunctionDefinition {
  return { name, style: 'function', namespace: undefined, returns, ...body };
}

/** `receiver.name(...)`. */
export function method(name: string, returns: string, body: Body): FunctionDefinition {
  return { name, style: 'method', namespace: undefined, returns, ...body };
}

/** `namespace.name(...)`. */
export function within(namespace: string, name: string, returns: string, body: Body): FunctionDefinition {
  return { name, style: 'function', namespace, returns, ...body };
}

export function nullary(run: () => Outcome): Body {
  return { params: [], run };
}

export function unary<A extends Kind>(a: A, run: (first: KindTypes[A], meter: Meter) => Outcome): Body {
  const isA = guards[a];
  return {
    params: [a],
    run: ([first], meter) => (first !== undefined && isA(first) ? run(first, meter) : undefined),
  };
}

export function binary<A extends Kind, B extends Kind>(
  a: A,
  b: B,
  run: (first: KindTypes[A], second: KindTypes[B], meter: Meter) => Outcome,
): Body {
  const [isA, isB] = [guards[a], guards[b]];
  return {
    params: [a, b],
    run: ([first, second], meter) =>
      first !== undefined && second !== undefined && isA(first) && isB(second) ? run(first, second, meter) : undefined,
  };
}

export function ternary<A extends Kind, B extends Kind, C extends Kind>(
  [a, b, c]: readonly [A, B, C],
  run: (first: KindTypes[A], second: KindTypes[B], third: KindTypes[C], meter: Meter) => Outcome,
): Body {
  const [isA, isB, isC] = [guards[a], guards[b], guards[c]];
  return {
    params: [a, b, c],
    run: ([first, second, third], meter) =>
      first !== undefined && second !== undefined && third !== undefined && isA(first) && isB(second) && isC(third)
        ? run(first, second, third, meter)
        : undefined,
  };
}

/** `text.replace(from, to, times)`, the one function of four. */
export function quaternary<A extends Kind, D extends Kind>(
  [a, b, c, d]: readonly [A, A, A, D],
  run: (texts: readonly [KindTypes[A], KindTypes[A], KindTypes[A]], fourth: KindTypes[D], meter: Meter) => Outcome,
): Body {
  const [isA, isD] = [guards[a], guards[d]];
  return {
    params: [a, b, c, d],
    run: ([first, second, third, fourth], meter) => {
      if (first === undefined || second === undefined || third === undefined || fourth === undefined) return undefined;
      if (!isA(first) || !isA(second) || !isA(third) || !isD(fourth)) return undefined;
      return run([first, second, third], fourth, meter);
    },
  };
}

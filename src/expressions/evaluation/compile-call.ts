import { foldable, overloadsOf } from '../functions/function-table.ts';
import { isTimeZone } from '../functions/time-zone.ts';
import { timeParts } from '../functions/times.ts';
import type { Tree } from '../language/tree.ts';
import { Fault } from '../values/fault.ts';
import type { Meter } from '../values/meter.ts';
import type { Value } from '../values/value.ts';
import { compileMatches } from './compile-matches.ts';
import type { Compilation, Evaluate, Locals } from './frame.ts';

type Call = Extract<Tree, { op: 'call' }>;

/** A call of a function: the first overload that takes the arguments. */
export function compileCall(call: Call, locals: Locals, compilation: Compilation): Evaluate {
  const [text, pattern] = call.args;
  if (call.name === 'matches' && text !== undefined && pattern !== undefined) {
    return compileMatches(text, pattern, locals, compilation);
  }
  const why = whyZoneIsRefused(call);
  if (why !== undefined) return compilation.refuse(call.at, why);
  const overloads = overloadsOf(call.name, call.style, call.args.length);
  const noOverload = new Fault('value', `${call.name}() does not take values of these types`);
  const run = (args: readonly Value[], meter: Meter): Value | Fault => {
    for (const overload of overloads) {
      const value = overload.run(args, meter);
      if (value !== undefined) return value;
    }
    return noOverload;
  };
  const answer = call.style === 'function' && foldable.has(call.name) ? answerLiterals(call, run) : undefined;
  if (answer instanceof Fault) return compilation.refuse(call.at, `${call.name}(): ${answer.why}`);
  if (answer !== undefined) return () => answer;
  const evaluateArgs = call.args.map((arg) => compilation.compile(arg, locals));
  return (frame) => {
    const args: Value[] = [];
    for (const evaluate of evaluateArgs) {
      const value = evaluate(frame);
      if (value instanceof Fault) return value;
      args.push(value);
    }
    return run(args, frame);
  };
}

/** A zone that is a literal is looked up when the expression is read: it is found wrong then, and quick to ask later. */
function whyZoneIsRefused({ name, args: [time, zone] }: Call): string | undefined {
  const isAsked = time !== undefined && zone?.op === 'literal' && timeParts.has(name);
  if (!isAsked || typeof zone.value !== 'string' || isTimeZone(zone.value)) return undefined;
  return `${name}(): the time zone is not known`;
}

/** The value of a call with nothing but literals; undefined for any other. */
function answerLiterals(
  call: Call,
  run: (args: readonly Value[], meter: Meter) => Value | Fault,
): Value | Fault | undefined {
  const args = call.args.flatMap((arg) => (arg.op === 'literal' ? [arg.value] : []));
  return args.length === call.args.length ? run(args, { left: Number.POSITIVE_INFINITY }) : undefined;
}

import type { Environment, RecordVariable, Variable } from '../environment.ts';
import type { Scope } from '../scope.ts';
import { Fault } from '../values/fault.ts';
import { MapValue, RecordValue, TypeValue, type Value } from '../values/value.ts';
import type { Evaluate, Locals } from './frame.ts';

/** The types of CEL are values, under their names. */
const typeConstants: ReadonlyMap<string, Value> = new Map<string, Value>([
  ...['bool', 'bytes', 'double', 'int', 'list', 'map', 'string', 'type', 'uint'].map(
    (name) => [name, new TypeValue(name)] as const,
  ),
  ['null_type', new TypeValue('null_type')],
  ['google', protobufTypes()],
]);

const unknown = new Fault('value', 'the variable is not known');

/** A variable: of a macro, of the environment, or a type. */
export function compileName(name: string, locals: Locals, environment: Environment): Evaluate {
  const number = locals.get(name);
  if (number !== undefined) return (frame) => localOf(frame.locals[number]);
  const variable = environment.variables.get(name);
  if (variable !== undefined) return compileVariable(name, variable);
  const constant = typeConstants.get(name) ?? unknown;
  return () => constant;
}

function localOf(value: Value | undefined): Value | Fault {
  return value === undefined ? unknown : value;
}

function compileVariable(name: string, variable: Variable): Evaluate {
  if (variable.kind === 'record') return (frame) => toRecord(name, variable, frame.scope);
  const absent = new Fault('absent', `${name} is absent`);
  return (frame) => {
    const value = variable.read(frame.scope);
    return value === undefined ? absent : value;
  };
}

function toRecord(name: string, { fields }: RecordVariable, scope: Scope): RecordValue {
  return new RecordValue(name, (field) => fields.get(field)?.read(scope));
}

function protobufTypes(): Value {
  const types = ['Timestamp', 'Duration'].map((name) => [name, new TypeValue(`google.protobuf.${name}`)] as const);
  return new MapValue(new Map([['protobuf', new MapValue(new Map(types))]]));
}

import type { Scope } from './scope.ts';
import type { Fault } from './values/fault.ts';
import type { Value } from './values/value.ts';

/** What an expression may name and what it must give: data, from which both the checker and the evaluation take what they know. */
export interface Environment {
  readonly variables: ReadonlyMap<string, Variable>;
  readonly result: 'condition' | 'header' | 'text' | 'texts' | 'any';
}

export type Variable = PlainVariable | RecordVariable;

export interface PlainVariable extends Field {
  readonly kind: 'plain';
}

/** A variable with fields of fixed names; any other name is refused when the expression is read. */
export interface RecordVariable {
  readonly kind: 'record';
  readonly fields: ReadonlyMap<string, Field>;
}

export interface Field {
  /** In CEL's spelling: `map<string, list<string>>`. */
  readonly type: string;
  /** Undefined where it is absent. */
  readonly read: (scope: Scope) => Value | Fault | undefined;
  /** For maps: why a literal key can never be found; undefined where it can. */
  readonly refuseKey?: (key: string) => string | undefined;
}

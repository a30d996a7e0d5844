import type { Field } from '../environment.ts';
import type { Member, Tree } from '../language/tree.ts';
import { Fault } from '../values/fault.ts';
import { toKey } from '../values/key.ts';
import { guards, isList } from '../values/kind.ts';
import { none, OptionalValue, Uint, type Value } from '../values/value.ts';
import type { Compilation, Evaluate, Locals } from './frame.ts';

const noMembers = new Fault('value', 'the value has no members');
const badIndex = new Fault('value', 'a list is asked by whole numbers');

/** `of.key`, `of[key]`, `of.?key`, `of[?key]`. A key that is not there is a Fault, for the optional forms none. */
export function compileMember(member: Member, locals: Locals, compilation: Compilation): Evaluate {
  const { at, key } = member;
  const field = fieldOf(member, locals, compilation);
  const absent = new Fault('absent', `${describe(member)} is absent`);
  if (field !== undefined && !member.optional) {
    return (frame) => {
      const value = field.read(frame.scope);
      return value === undefined ? absent : value;
    };
  }
  const why = whyKeyIsRefused(member.of, key, locals, compilation);
  if (why !== undefined) return compilation.refuse(at, why);
  const evaluateOf = compilation.compile(member.of, locals);
  const evaluateKey = compilation.compile(key, locals);
  return (frame) => {
    const of = evaluateOf(frame);
    if (of instanceof Fault) return of;
    const keyValue = evaluateKey(frame);
    if (keyValue instanceof Fault) return keyValue;
    if (!member.optional && !(of instanceof OptionalValue)) {
      const value = select(of, keyValue);
      return value === undefined ? absent : value;
    }
    // A member of an optional is an optional.
    const inner = of instanceof OptionalValue ? of.value : of;
    const value = inner === undefined ? undefined : select(inner, keyValue);
    if (value instanceof Fault) return value;
    return value === undefined ? none : new OptionalValue(value);
  };
}

/** `has(of.key)`: whether the last key is there; everything before it must be. */
export function compileHas(member: Member, locals: Locals, compilation: Compilation): Evaluate {
  const why = whyKeyIsRefused(member.of, member.key, locals, compilation);
  if (why !== undefined) return compilation.refuse(member.at, why);
  const evaluateOf = compilation.compile(member.of, locals);
  const evaluateKey = compilation.compile(member.key, locals);
  return (frame) => {
    const of = evaluateOf(frame);
    if (of instanceof Fault) return of;
    const key = evaluateKey(frame);
    if (key instanceof Fault) return key;
    const inner = of instanceof OptionalValue ? of.value : of;
    const value = inner === undefined ? undefined : select(inner, key);
    // What is there and cannot be read is there; what has no members has none to ask for.
    return value === noMembers || value === badIndex ? value : value !== undefined;
  };
}

/** Why a map can never hold the literal key; undefined where it can. */
export function whyKeyIsRefused(map: Tree, key: Tree, locals: Locals, compilation: Compilation): string | undefined {
  if (key.op !== 'literal' || typeof key.value !== 'string' || map.op !== 'member') return undefined;
  return fieldOf(map, locals, compilation)?.refuseKey?.(key.value);
}

/** The field that a member of a variable names; undefined where it is another kind of member. */
function fieldOf({ of, key }: Member, locals: Locals, { environment }: Compilation): Field | undefined {
  if (of.op !== 'name' || locals.has(of.name) || key.op !== 'literal' || typeof key.value !== 'string') {
    return undefined;
  }
  const variable = environment.variables.get(of.name);
  return variable?.kind === 'record' ? variable.fields.get(key.value) : undefined;
}

/** The member; undefined where it is absent. */
function select(of: Value, key: Value): Value | Fault | undefined {
  if (guards.map(of)) {
    const name = toKey(key);
    return name === undefined ? undefined : of.source.get(name);
  }
  if (guards.record(of)) return typeof key === 'string' ? of.get(key) : undefined;
  if (!isList(of)) return noMembers;
  const index = key instanceof Uint ? key.value : key;
  if (typeof index !== 'bigint' && (typeof index !== 'number' || !Number.isInteger(index))) return badIndex;
  return of[Number(index)];
}

/** What the author wrote, as far as it is a path. */
function describe({ of, key }: Member): string {
  const path = of.op === 'name' ? of.name : of.op === 'member' ? describe(of) : '';
  if (key.op !== 'literal') return `a member of ${path}`;
  const name = typeof key.value === 'string' || typeof key.value === 'bigint' ? String(key.value) : 'a key';
  return path === '' ? `the member ${name}` : `${path}.${name}`;
}

import { addressFunctions } from './addresses.ts';
import { base64Functions } from './base64.ts';
import { conversions } from './conversions.ts';
import type { FunctionDefinition } from './definition.ts';
import { optionalFunctions } from './optionals.ts';
import { sizes } from './sizes.ts';
import { stringFunctions } from './strings.ts';
import { textSearches } from './text-search.ts';
import { timeFunctions } from './times.ts';

export type { FunctionDefinition } from './definition.ts';

/** Every function that an expression can call; macros and operators are none. */
export const functions: readonly FunctionDefinition[] = [
  ...conversions,
  ...sizes,
  ...stringFunctions,
  ...textSearches,
  ...base64Functions,
  ...addressFunctions,
  ...timeFunctions,
  ...optionalFunctions,
];

/** Names before a dot that are no variables; `optional` is the library's own. */
export const namespaces: ReadonlySet<string> = new Set(
  functions.flatMap(({ namespace }) => (namespace === undefined || namespace === 'optional' ? [] : [namespace])),
);

/** Functions that a call with nothing but literals is answered for when the expression is read, so that a mistake is found then. */
export const foldable: ReadonlySet<string> = new Set(['ip', 'cidr', 'duration', 'timestamp']);

/** The overloads of a call, as `language/tree.ts` names it. */
export function overloadsOf(name: string, style: 'function' | 'method', args: number): readonly FunctionDefinition[] {
  return byCall.get(callKey(name, style, args)) ?? [];
}

function callKey(name: string, style: 'function' | 'method', args: number): string {
  return `${style} ${name}/${args}`;
}

const byCall: ReadonlyMap<string, readonly FunctionDefinition[]> = Map.groupBy(
  functions,
  ({ name, namespace, style, params }) =>
    callKey(namespace === undefined ? name : `${namespace}.${name}`, style, params.length),
);

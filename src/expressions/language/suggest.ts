import { closest } from '../../std/closest.ts';
import type { Environment } from '../environment.ts';

const operators: Readonly<Record<string, string>> = { and: '&&', or: '||', not: '!' };

/** What may be meant where the expression was refused; undefined where nobody can guess. */
export function suggest(source: string, position: number, { variables }: Environment): string | undefined {
  if (source[position] === '=') return 'write == to compare';
  const start = source.slice(0, position).search(/(?<!\w)\w*$/);
  const word = /^\w+/.exec(source.slice(start))?.[0] ?? '';
  if (word === '') return undefined;
  if (Object.hasOwn(operators, word)) return `write ${operators[word]} for ${word}`;
  const owner = /(?<!\w)(\w+)\s*\.\s*$/.exec(source.slice(0, start))?.[1];
  const variable = owner === undefined ? undefined : variables.get(owner);
  const names = owner === undefined ? variables.keys() : variable?.kind === 'record' ? variable.fields.keys() : [];
  const guess = closest(word, names);
  return guess === undefined || guess === word ? undefined : `did you mean ${guess}?`;
}

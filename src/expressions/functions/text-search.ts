import { lengthOf, toPoints, toUnits } from '../values/code-points.ts';
import { Fault } from '../values/fault.ts';
import { spend, type Meter } from '../values/meter.ts';
import { binary, method, plain, ternary } from './definition.ts';

const outOfRange = new Fault('value', 'the position is not within the text');

/** `matches` never comes here: `evaluation/compile-matches.ts` compiles it with its pattern. */
const matches = binary('string', 'string', () => outOfRange);

/** What looks for a text in a text. */
export const textSearches = [
  plain('matches', 'bool', matches),
  method('matches', 'bool', matches),
  method(
    'startsWith',
    'bool',
    binary('string', 'string', (text, part, meter) => spend(meter, part.length >> 4) ?? text.startsWith(part)),
  ),
  method(
    'endsWith',
    'bool',
    binary('string', 'string', (text, part, meter) => spend(meter, part.length >> 4) ?? text.endsWith(part)),
  ),
  method(
    'contains',
    'bool',
    binary('string', 'string', (text, part, meter) => spendSearch(meter, text, part) ?? text.includes(part)),
  ),
  method(
    'indexOf',
    'int',
    binary('string', 'string', (text, part, meter) => find(text, part, 0n, meter)),
  ),
  method('indexOf', 'int', ternary(['string', 'string', 'int'], find)),
  method(
    'lastIndexOf',
    'int',
    binary(
      'string',
      'string',
      (text, part, meter) => spendSearch(meter, text, part) ?? BigInt(toPoints(text, text.lastIndexOf(part))),
    ),
  ),
  method('lastIndexOf', 'int', ternary(['string', 'string', 'int'], findLast)),
];

/** A long part can make a search as dear as the product of the lengths. */
export function spendSearch(meter: Meter, text: string, part: string): Fault | undefined {
  return spend(meter, (text.length >> 5) + (part.length > 250 ? (text.length * part.length) >> 7 : 0));
}

function find(text: string, part: string, from: bigint, meter: Meter): bigint | Fault {
  const over = spendSearch(meter, text, part) ?? rangeFault(text, from);
  return over ?? BigInt(toPoints(text, text.indexOf(part, toUnits(text, Number(from)))));
}

function findLast(text: string, part: string, from: bigint, meter: Meter): bigint | Fault {
  const over = spendSearch(meter, text, part) ?? rangeFault(text, from);
  return over ?? BigInt(toPoints(text, text.lastIndexOf(part, toUnits(text, Number(from)))));
}

function rangeFault(text: string, position: bigint): Fault | undefined {
  return position < 0n || position > BigInt(lengthOf(text)) ? outOfRange : undefined;
}

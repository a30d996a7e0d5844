import { parseArgs } from 'node:util';
import { closest } from '../src/std/closest.ts';
import { connectionShape } from './load.ts';
import { withCompared } from './row-aims.ts';
import { partNames, parts as allParts, partsOnRequest, rowNames, rows, type PartName, type RowName } from './rows.ts';

export interface Options {
  readonly json: boolean;
  /** Of load on a row in each round. */
  readonly seconds: number;
  readonly rows: readonly RowName[];
  readonly parts: readonly PartName[];
  /** Where CPU profiles of `serve` go; undefined: none are made. */
  readonly profile: string | undefined;
}

export type ParsedOptions =
  | { readonly kind: 'options'; readonly options: Options }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage'; readonly why: string };

/** Of load on a row before anything counts: the time that V8 needs to compile what is hot. */
export const warmUpSeconds = 2;
export const rounds = 5;
const defaultSeconds = 1.5;

/** Reads the command line; anything that is not of it is a `usage`. */
export function parseOptions(args: readonly string[]): ParsedOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        seconds: { type: 'string', default: String(defaultSeconds) },
        only: { type: 'string', multiple: true, default: [] },
        profile: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    return { kind: 'usage', why: error instanceof Error ? error.message : String(error) };
  }
  const { json, only, profile } = values;
  if (values.help) return { kind: 'help' };
  const seconds = Number(values.seconds);
  if (!(seconds >= 0.1 && seconds <= 60)) return { kind: 'usage', why: '--seconds must be from 0.1 to 60' };
  const known: readonly string[] = [...rowNames, ...partNames];
  const strange = only.find((name) => !known.includes(name));
  if (strange !== undefined) return { kind: 'usage', why: noRow(strange, known) };
  const isWanted = (name: string): boolean => only.length === 0 || only.includes(name);
  const wanted = rowNames.filter(isWanted);
  const needed = withCompared(wanted);
  const measured = rowNames.filter((name) => needed.has(name));
  const parts = partNames.filter((name) => (partsOnRequest.has(name) ? only.includes(name) : isWanted(name)));
  return { kind: 'options', options: { json, seconds, rows: measured, parts, profile } };
}

function noRow(written: string, known: readonly string[]): string {
  const meant = closest(written, known);
  return `there is no row ${written}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`;
}

export function helpText(): string {
  const list = Object.entries({ ...rows, ...allParts }).map(([name, text]) => `  ${name.padEnd(22)}${text}`);
  const { connections, callsInFlight } = connectionShape;
  return `Usage: npm run bench -- [options]

Measures what a check costs, and what serve needs to start, to idle and to take a change in. It prints figures and
says whether they reach their aims, which fails nothing. The server has a core of its own, the load another; ${connections} connections with ${callsInFlight} calls in flight each, the
same for every row. Rows take turns in ${rounds} rounds, and each figure is the median of them.

Options:
  --json           print the figures as JSON
  --seconds N      load on a row in each round, 0.1 to 60 (default ${defaultSeconds})
  --only NAME      only this row; may be repeated (a row that it is compared with is measured with it)
  --profile DIR    write CPU profiles of serve to this folder; the profiler itself makes every check dearer
  -h, --help       print this help

Rows:
${list.join('\n')}

Exit codes:
  0  measured, however the figures are
  1  something could not be measured, or a row got answers that it should not get
  2  the command line is wrong
`;
}

/** How far a figure should reach. */
export type Bound =
  { readonly kind: 'at most'; readonly value: number } | { readonly kind: 'at least'; readonly value: number };

/** A figure beside its aim. */
export interface Reach {
  /** What was measured: a row, or a part with what of it. */
  readonly name: string;
  /** Of the figure: `× bare-http2`, `MB`. */
  readonly unit: string;
  readonly measured: number;
  readonly aim: Bound;
  readonly isMet: boolean;
}

export const atMost = (value: number): Bound => ({ kind: 'at most', value });
export const atLeast = (value: number): Bound => ({ kind: 'at least', value });

/** A figure that is no number (nothing was measured) is missed. */
export function judgeReach(name: string, measured: number, aim: Bound, unit: string): Reach {
  const isMet = aim.kind === 'at most' ? measured <= aim.value : measured >= aim.value;
  return { name, unit, measured, aim, isMet };
}

/** The lines of the report: a verdict each. */
export function formatReach(all: readonly Reach[]): string[] {
  const cells = all.map(({ name, unit, measured, aim, isMet }) => [
    name,
    `${round(measured)} ${unit}`,
    `${aim.kind} ${aim.value}`,
    isMet ? 'met' : 'MISSED',
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`);
}

function round(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

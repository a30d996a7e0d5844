import type { Held } from './client-entry.ts';

/** A status has room for a few. */
const maxTold = 4;

/** Which Secrets are refused and why, and which have one key, in words; undefined where all are good. */
export function describeRefused<Client>(
  refused: readonly Held<Client>[],
  shared: readonly (readonly Held<Client>[])[],
  twice: string,
): string | undefined {
  if (refused.length + shared.length === 0) return undefined;
  const why = (entry: Held<Client>): string => `Secret ${entry.secret.name}: ${'why' in entry ? entry.why : ''}`;
  const groups = shared.map((list) => list.map(({ secret }) => secret.name)).sort(byFirst);
  const texts = [
    ...refused.slice(0, maxTold).map(why),
    ...groups.slice(0, maxTold).map((names) => `Secrets ${some(names, names.length, ', ')} ${twice}`),
  ];
  return some(texts, refused.length + shared.length, '; ');
}

function byFirst([a = '']: readonly string[], [b = '']: readonly string[]): number {
  return a < b ? -1 : 1;
}

/** The first of them, of as many in all. */
function some(texts: readonly string[], all: number, separator: string): string {
  const more = all - maxTold;
  return `${texts.slice(0, maxTold).join(separator)}${more > 0 ? `${separator}and ${more} more` : ''}`;
}

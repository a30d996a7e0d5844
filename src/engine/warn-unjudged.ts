import type { Problem } from '../core/problem.ts';
import { createProblemList } from '../policy/problem-list.ts';
import type { CatalogEntry } from './catalog-entry.ts';
import { maxShadowsOfPlace } from './shadow-table.ts';

/** What is told of a policy in shadow mode that is not judged at these places (S9); nothing where there are none. */
export function unjudgedWarnings(
  { versions }: Pick<CatalogEntry, 'versions'>,
  places: readonly string[] = [],
): readonly Problem[] {
  const [first, ...others] = places;
  const document = versions[0]?.document;
  if (first === undefined || document === undefined) return [];
  const where = others.length === 0 ? first : `${first} (and at ${others.length} more of its places)`;
  const problems = createProblemList(document, []);
  problems.warning(
    'shadow-not-judged',
    ['spec', 'mode'],
    `at ${where} more policies are in shadow mode than the ${maxShadowsOfPlace} that are judged, and this is none of them: what it would decide is not recorded`,
  );
  return problems.all;
}

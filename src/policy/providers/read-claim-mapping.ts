import { checkClaimName } from '../claim-name.ts';
import type { ClaimMappingShape } from '../document-shape.ts';
import type { FieldPath, ProblemList } from '../problem-list.ts';
import type { ClaimMapping } from '../provider-spec.ts';

/** Reads `claims` with its defaults: the subject is `sub`, scopes are where the kind has them, and there are no roles. */
export function readClaimMapping(
  shape: ClaimMappingShape | undefined,
  defaultScopes: readonly string[],
  at: FieldPath,
  problems: ProblemList,
): ClaimMapping {
  const { subject = 'sub', scopes = defaultScopes, roles = [] } = shape ?? {};
  const named = { subject: [subject], scopes, roles };
  for (const [field, names] of Object.entries(named))
    for (const name of names) checkClaimName(name, [...at, field], problems);
  return { subject, scopes, roles };
}

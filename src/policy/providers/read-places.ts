import { isHeaderName, isProtocolHeader } from '../../std/http-headers.ts';
import type { PlaceShape } from '../document-shape.ts';
import { quote, type FieldPath, type ProblemList } from '../problem-list.ts';
import type { CredentialPlace } from '../provider-spec.ts';

/** The Authorization header with Bearer (RFC 6750 2.1). */
export const bearer: CredentialPlace = { in: 'header', name: 'authorization', scheme: 'Bearer' };

/** Reads `from`. */
export function readPlaces(
  shapes: readonly PlaceShape[],
  at: FieldPath,
  problems: ProblemList,
): readonly CredentialPlace[] {
  const places = shapes.flatMap((shape, index) => readPlace(shape, [...at, index], problems) ?? []);
  const seen = new Set<string>();
  for (const [index, place] of places.entries()) {
    const text = JSON.stringify(place).toLowerCase();
    if (seen.has(text)) problems.error('duplicate-name', [...at, index], 'the same place is there twice');
    seen.add(text);
  }
  return places;
}

function readPlace(shape: PlaceShape, at: FieldPath, problems: ProblemList): CredentialPlace | undefined {
  const { header, cookie, query, scheme } = shape;
  const named = [header, cookie, query].filter((name) => name !== undefined);
  if (named.length !== 1 || (scheme !== undefined && header === undefined)) {
    problems.error('invalid-value', at, 'a place is exactly one of header (with an optional scheme), cookie and query');
    return undefined;
  }
  const name = named[0] ?? '';
  if (query !== undefined) {
    if (/^[A-Za-z0-9._~-]+$/.test(query)) return { in: 'query', name: query };
    problems.error('invalid-value', at, `${quote(query)}: a query parameter's name is of letters, digits and . _ ~ -`);
    return undefined;
  }
  if (!isHeaderName(name) || (scheme !== undefined && !isHeaderName(scheme))) {
    problems.error('invalid-value', at, `${quote(name)} or its scheme is no token (RFC 9110 5.6.2)`);
    return undefined;
  }
  if (cookie !== undefined) return { in: 'cookie', name: cookie };
  if (isProtocolHeader(name) || name.toLowerCase() === 'cookie') {
    problems.error('forbidden-header', at, `${name} cannot carry a credential`);
    return undefined;
  }
  return { in: 'header', name: name.toLowerCase(), scheme };
}

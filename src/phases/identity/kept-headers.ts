import type { Request } from '../../core/request.ts';
import { isDpopPlace } from '../../policy/providers/credential-forms.ts';
import type { CredentialPlace } from '../../policy/provider-spec.ts';
import { compilePlaceReader } from './credential-place.ts';

/** The names of the headers of a request that hold a credential which `Keep` passes on; another use of such a header is none. */
export type KeptHeaders = (request: Request) => readonly string[];

const none: readonly string[] = Object.freeze([]);

/** Compiles it for these places. One token counts: what is empty, a list or no text is nothing that anybody could have verified. */
export function compileKeptHeaders(places: readonly CredentialPlace[]): KeptHeaders {
  const readers = places.flatMap((place) => {
    if (place.in === 'query') return [];
    // A proof goes with its token.
    const names = place.in === 'cookie' ? ['cookie'] : isDpopPlace(place) ? [place.name, 'dpop'] : [place.name];
    return [{ names, read: compilePlaceReader(place) }];
  });
  if (readers.length === 0) return () => none;
  return (request) => readers.flatMap(({ names, read }) => (read(request).kind === 'token' ? names : []));
}

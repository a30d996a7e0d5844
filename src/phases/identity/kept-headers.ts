import type { Request } from '../../core/request.ts';
import type { CredentialPlace } from '../../policy/provider-spec.ts';
import { compilePlaceReader } from './credential-place.ts';

/** The names of the headers of a request that hold a credential which `Keep` passes on; another use of such a header is none. */
export type KeptHeaders = (request: Request) => readonly string[];

const none: readonly string[] = Object.freeze([]);

/** Compiles it for these places. One token counts: what is empty, a list or no text is nothing that anybody could have verified. */
export function compileKeptHeaders(places: readonly CredentialPlace[]): KeptHeaders {
  const readers = places.flatMap((place) => {
    if (place.in === 'query') return [];
    return [{ name: place.in === 'cookie' ? 'cookie' : place.name, read: compilePlaceReader(place) }];
  });
  if (readers.length === 0) return () => none;
  return (request) => readers.flatMap(({ name, read }) => (read(request).kind === 'token' ? [name] : []));
}

import { denial, type Denial, type UpstreamChanges } from '../../core/decision.ts';
import type { Request } from '../../core/request.ts';
import { isDpopPlace } from '../../policy/providers/credential-forms.ts';
import type { CredentialPlace } from '../../policy/provider-spec.ts';
import { isHeaderValue } from '../../std/http-headers.ts';
import { createSmallMemo } from '../../std/small-memo.ts';
import { compilePlaceReader, cookieName, type Found, type PlaceReader } from './credential-place.ts';

/**
 * What takes the credentials of a request away before it goes upstream (S20, S27), or the Denial for a request that carries one in a
 * way that cannot be taken away surely. Verifies nothing and needs no identity.
 */
export type CredentialRemoval = (
  request: Request,
) => { readonly changes: UpstreamChanges } | { readonly denial: Denial };

interface PlaceRemoval {
  readonly place: CredentialPlace;
  readonly read: PlaceReader;
}

/** Compiles the removal of whatever stands in these places: of a header only its own scheme, of the cookies only its own. */
export function compileCredentialRemoval(places: readonly CredentialPlace[]): CredentialRemoval {
  const removals = places.map((place): PlaceRemoval => ({ place, read: compilePlaceReader(place, 'find') }));
  const cookies = new Set(places.flatMap((place) => (place.in === 'cookie' ? [place.name] : [])));
  // Requests carry their credentials in few ways; what takes them away is the same for all that carry them alike.
  const changesFor = createSmallMemo<string, Removal>(16);
  return (request) => {
    let found = '';
    let cookieFound = false;
    for (const { place, read } of removals) {
      const here = read(request);
      const refused = judgeRemoval(place, here);
      if (refused !== undefined) return { denial: refused };
      const isThere = here.kind !== 'absent';
      found += isThere ? '1' : '0';
      cookieFound ||= isThere && place.in === 'cookie';
    }
    if (!cookieFound) return changesFor(found, () => ({ changes: removeAt(places, found) }));
    const rest = withoutCookies(request.headers.get('cookie') ?? '', cookies);
    if (rest !== '' && !isHeaderValue(rest)) return { denial: restUnsafe };
    return { changes: removeAt(places, found, rest) };
  };
}

interface Removal {
  readonly changes: UpstreamChanges;
}

/** `found`: a 1 for each of the places where a credential is. `rest` is what is left of the cookies, where one was among them. */
function removeAt(places: readonly CredentialPlace[], found: string, rest?: string): UpstreamChanges {
  const headers = new Set<string>();
  const parameters = new Set<string>();
  for (const [i, place] of places.entries()) {
    const isThere = found.charAt(i) === '1';
    // A header that is a credential as a whole goes unseen too: a proxy may have kept it from us.
    if (place.in === 'header' && (isThere || place.scheme === undefined)) headers.add(place.name);
    // The proof is of the credential, and good for one request: ours.
    if (place.in === 'header' && isThere && isDpopPlace(place)) headers.add('dpop');
    if (place.in === 'query' && isThere) parameters.add(place.name);
  }
  if (rest === '') headers.add('cookie');
  return {
    setHeaders: rest === undefined || rest === '' ? [] : [['cookie', rest]],
    removeHeaders: [...headers],
    removeQueryParameters: [...parameters],
  };
}

const restUnsafe = denial(
  'token_malformed',
  'The cookie header is too long, or has a control character beside the credential.',
);

/** A credential that two parsers would read differently cannot be taken away: it is refused. */
function judgeRemoval(place: CredentialPlace, found: Found): Denial | undefined {
  switch (found.kind) {
    case 'duplicated':
      return denial('header_duplicated', `The ${found.header} header is there twice.`);
    case 'ambiguous':
      // The same cookie twice in one field goes as a whole.
      return place.in === 'cookie' ? undefined : denial('credential_ambiguous');
    case 'not-text':
      // Rewriting a field that is not text would change what we do not see of it.
      return place.in === 'cookie' ? denial('token_malformed', `The ${found.header} header is not text.`) : undefined;
    case 'bad':
    case 'absent':
    case 'token':
      return undefined;
  }
}

/** The cookie header without these cookies, the rest byte for byte but for spaces at its ends; empty where nothing is left. */
function withoutCookies(header: string, names: ReadonlySet<string>): string {
  const kept = header.split(';').filter((pair) => !names.has(cookieName(pair)));
  return kept.every((pair) => pair.trim() === '') ? '' : kept.join(';').trim();
}

import { denial, type Denial, type UpstreamChanges } from '../../core/decision.ts';
import type { Request } from '../../core/request.ts';
import { isDpopPlace } from '../../policy/providers/credential-forms.ts';
import type { CredentialPlace } from '../../policy/provider-spec.ts';
import { isHeaderValue } from '../../std/http-headers.ts';
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
  const removals = places.map((place): PlaceRemoval => ({ place, read: compilePlaceReader(place) }));
  const cookies = new Set(places.flatMap((place) => (place.in === 'cookie' ? [place.name] : [])));
  return (request) => {
    const headers = new Set<string>();
    const parameters = new Set<string>();
    let cookieFound = false;
    for (const { place, read } of removals) {
      const found = read(request);
      const refused = judgeRemoval(place, found);
      if (refused !== undefined) return { denial: refused };
      // A header that is a credential as a whole goes unseen too: a proxy may have kept it from us.
      if (place.in === 'header' && place.scheme === undefined) headers.add(place.name);
      if (found.kind === 'absent') continue;
      if (place.in === 'header') {
        headers.add(place.name);
        // The proof is of the credential, and good for one request: ours.
        if (isDpopPlace(place)) headers.add('dpop');
      } else if (place.in === 'query') parameters.add(place.name);
      else cookieFound = true;
    }
    const rest = cookieFound ? withoutCookies(request.headers.get('cookie') ?? '', cookies) : undefined;
    if (rest === '') headers.add('cookie');
    else if (rest !== undefined && !isHeaderValue(rest)) return { denial: restUnsafe };
    return {
      changes: {
        setHeaders: rest === undefined || rest === '' ? [] : [['cookie', rest]],
        removeHeaders: [...headers],
        removeQueryParameters: [...parameters],
      },
    };
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

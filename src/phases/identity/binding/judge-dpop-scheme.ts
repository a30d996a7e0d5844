import { denial, type Denial } from '../../../core/decision.ts';
import { isJsonObject, type JsonValue } from '../../../core/json.ts';
import { isDpopPlace } from '../../../policy/providers/credential-forms.ts';
import type { TokenBinding } from '../../../policy/provider-spec.ts';
import type { Credential } from '../identity-provider.ts';

/** RFC 9449 7.1 and 7.2: the scheme DPoP is for tokens that are bound to a key, and these come with no other. */
export function judgeDpopScheme(
  cnf: JsonValue | undefined,
  { place }: Credential,
  { dpop }: Pick<TokenBinding, 'dpop'>,
): Denial | undefined {
  const isBound = isJsonObject(cnf) && Object.hasOwn(cnf, 'jkt');
  if (isDpopPlace(place)) return isBound && dpop !== 'Ignore' ? undefined : notBound;
  return isBound && dpop !== 'Ignore' ? otherScheme : undefined;
}

const notBound = denial('token_binding', 'The token came with the scheme DPoP and is not bound to a key.');
const otherScheme = denial('token_binding', 'The token is bound to a key and must come with the scheme DPoP.');

import { denial, type Denial } from '../../../core/decision.ts';
import { isJsonObject, type JsonValue } from '../../../core/json.ts';
import { isDpopPlace } from '../../../policy/providers/credential-forms.ts';
import type { DpopNonceRule, TokenBinding } from '../../../policy/provider-spec.ts';
import type { Dpop } from '../dpop/dpop.ts';
import type { Credential } from '../identity-provider.ts';
import type { ConfirmationJudge } from './judge-binding.ts';

/** RFC 9449: the request must bring a proof of the key that `jkt` is the thumbprint of, made for it and for this token. */
export function compileDpopBinding(dpop: Dpop, nonce: DpopNonceRule): ConfirmationJudge {
  return (jkt, { request, token, isShadow = false }) =>
    typeof jkt === 'string' && thumbprint.test(jkt) ? dpop.prove({ request, token, jkt, nonce, isShadow }) : malformed;
}

/** A SHA-256 as base64url. */
const thumbprint = /^[A-Za-z0-9_-]{43}$/;

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

const malformed = denial('token_binding', 'The jkt of the token is no SHA-256 thumbprint.');
const notBound = denial('token_binding', 'The token came with the scheme DPoP and is not bound to a key.');
const otherScheme = denial('token_binding', 'The token is bound to a key and must come with the scheme DPoP.');

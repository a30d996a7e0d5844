import { denial } from '../../../core/decision.ts';
import type { DpopNonceRule } from '../../../policy/provider-spec.ts';
import type { Dpop } from '../dpop/dpop.ts';
import type { ConfirmationJudge } from './judge-binding.ts';

/** RFC 9449: the request must bring a proof of the key that `jkt` is the thumbprint of, made for it and for this token. */
export function compileDpopBinding(dpop: Dpop, nonce: DpopNonceRule): ConfirmationJudge {
  return (jkt, { request, token, isShadow = false }) =>
    typeof jkt === 'string' && thumbprint.test(jkt) ? dpop.prove({ request, token, jkt, nonce, isShadow }) : malformed;
}

/** A SHA-256 as base64url. */
const thumbprint = /^[A-Za-z0-9_-]{43}$/;

const malformed = denial('token_binding', 'The jkt of the token is no SHA-256 thumbprint.');

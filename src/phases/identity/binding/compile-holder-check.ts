import type { Denial, HeaderEntry } from '../../../core/decision.ts';
import { ownMember } from '../../../core/json.ts';
import type { DpopNonceRule, TokenBinding } from '../../../policy/provider-spec.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import type { Credential, VerifyResult } from '../identity-provider.ts';
import { compileBindingCheck } from './judge-binding.ts';
import { judgeCertificateBinding } from './judge-certificate-binding.ts';
import { compileDpopBinding } from './judge-dpop-binding.ts';

/** Judges who holds a token on which the verdict is `result`, or comes to be. */
export type HolderCheck = (
  credential: Credential,
  result: VerifyResult | Promise<VerifyResult>,
) => VerifyResult | Promise<VerifyResult>;

/**
 * A good token is taken from its holder alone: what it is bound to is judged with every request, and never remembered. `fail` makes a denial
 * of what is thrown.
 */
export function compileHolderCheck(
  rules: TokenBinding,
  nonce: DpopNonceRule,
  ports: Pick<IdentityPorts, 'dpop'>,
  fail: (error: unknown) => VerifyResult,
): HolderCheck {
  const binding = compileBindingCheck(rules, {
    certificate: judgeCertificateBinding,
    dpop: compileDpopBinding(ports.dpop, nonce),
  });
  const judge = (credential: Credential, result: VerifyResult): VerifyResult | Promise<VerifyResult> => {
    if ('denial' in result) return result;
    const cnf = ownMember(result.identity.claims ?? {}, 'cnf');
    const judged = (refused: Denial | undefined): VerifyResult => {
      if (refused !== undefined) return { denial: refused };
      return cnf === undefined ? result : withHeaders(result, ports.dpop.headersFor(credential.request));
    };
    try {
      const verdict = binding(cnf, credential);
      return verdict instanceof Promise ? verdict.then(judged).catch(fail) : judged(verdict);
    } catch (error) {
      return fail(error);
    }
  };
  return (credential, result) =>
    result instanceof Promise ? result.then((late) => judge(credential, late)) : judge(credential, result);
}

function withHeaders(result: VerifyResult, responseHeaders: readonly HeaderEntry[]): VerifyResult {
  return responseHeaders.length === 0 || 'denial' in result ? result : { ...result, responseHeaders };
}

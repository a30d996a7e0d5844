import type { HeaderEntry } from '../core/decision.ts';
import { anonymous, type Identity } from '../core/identity.ts';
import type { Request } from '../core/request.ts';
import { authenticatePeer, type AuthenticationContext } from '../phases/identity/authenticate.ts';
import type { Refused, VerifyResult } from '../phases/identity/identity-provider.ts';
import type { AllowingRule } from './compile-policy.ts';

/** Who calls, and who connects where somebody was asked (S18). */
export interface Caller {
  readonly identity: Identity;
  readonly peer: Identity | undefined;
  /** What the answer to the client carries for it; absent: nothing. */
  readonly responseHeaders?: readonly HeaderEntry[];
}

export const nobody: Caller = { identity: anonymous, peer: undefined };

export type IdentifyResult = Caller | Refused;

/**
 * Public verifies nothing, Optional takes none for anonymous (S20); where the floor demands an identity both ask for it. A peer must hold
 * beside the credential of the message; alone it is the identity, and then Optional takes its absence for anonymous (S18).
 */
export function identify(
  rule: AllowingRule,
  request: Request,
  context: AuthenticationContext,
  isDemanded: boolean,
): IdentifyResult | Promise<IdentifyResult> {
  if (rule.access === 'Public' && !isDemanded) return nobody;
  const isOptional = rule.access === 'Optional' && !isDemanded;
  const read = (result: VerifyResult, peer: Identity | undefined): IdentifyResult => {
    if ('identity' in result) return { ...result, peer };
    return isOptional && result.denial.code === 'credential_missing' ? { identity: anonymous, peer } : result;
  };
  const identifyMessage = (peer: Identity | undefined): IdentifyResult | Promise<IdentifyResult> => {
    const result = rule.authenticate(request, request.host, context);
    return result instanceof Promise ? result.then((late) => read(late, peer)) : read(result, peer);
  };
  if (rule.peer === undefined) return identifyMessage(undefined);
  const found = authenticatePeer(rule.peer, request, request.host, context);
  const goOn = (result: VerifyResult): IdentifyResult | Promise<IdentifyResult> => {
    if (rule.peerIdentifies) return read(result, 'identity' in result ? result.identity : undefined);
    return 'denial' in result ? result : identifyMessage(result.identity);
  };
  return found instanceof Promise ? found.then(goOn) : goOn(found);
}

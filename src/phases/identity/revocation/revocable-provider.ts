import type { IdentityProvider, VerifyResult } from '../identity-provider.ts';
import type { Revocations } from './revocations.ts';

/** Seconds, of the kinds whose documents do not say one. */
const fixedSkew = 30;

/**
 * The provider whose identities, remembered ones too, are held against what is revoked each time that somebody presents one. Of every kind: what
 * a kind does not know (an id of a token, a session) cannot be named of it.
 */
export function toRevocable(provider: IdentityProvider, revocations: Revocations): IdentityProvider {
  const clockSkew = 'clockSkew' in provider.spec ? provider.spec.clockSkew : fixedSkew;
  const review = revocations.reviewer({ ...provider.spec, clockSkew });
  const judge = (result: VerifyResult): VerifyResult => ('identity' in result ? review(result) : result);
  const after = (result: VerifyResult | Promise<VerifyResult>): VerifyResult | Promise<VerifyResult> =>
    result instanceof Promise ? result.then(judge) : judge(result);
  const { renew } = provider;
  const running = {
    firstLoad: provider.firstLoad,
    status: () => provider.status(),
    close: () => provider.close(),
    ...(renew && { renew: (material: Parameters<typeof renew>[0]) => renew.call(provider, material) }),
  };
  if (provider.layer === 'peer') {
    const { layer, spec } = provider;
    return { ...running, layer, spec, verifyPeer: (request) => after(provider.verifyPeer(request)) };
  }
  const { layer, spec, places, judgesCharacters, receive } = provider;
  return {
    ...running,
    layer,
    spec,
    places,
    ...(judgesCharacters && { judgesCharacters }),
    verify: (credential) => after(provider.verify(credential)),
    ...(receive && { receive: (message: Parameters<typeof receive>[0]) => receive(message) }),
  };
}

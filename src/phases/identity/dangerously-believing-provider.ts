import { placesOf } from '../../policy/providers/credential-forms.ts';
import type { JwtProviderSpec } from '../../policy/provider-spec.ts';
import { defaultIdentitySettings } from './identity-settings.ts';
import type { Credential, MessageProvider, VerifyResult } from './identity-provider.ts';
import { readObject, splitToken } from './jwt/parse-token.ts';
import { toIdentity } from './jwt/to-identity.ts';
import { compileTokenRules } from './jwt/token-rules.ts';

/** DANGEROUS: takes every token for what it says, unsigned and expired ones too. For explanations of made-up identities, which decide nothing. */
export function createDangerouslyBelievingProvider(spec: JwtProviderSpec): MessageProvider {
  const rules = compileTokenRules(spec);
  const verify = ({ token }: Credential): VerifyResult => {
    const segments = splitToken(token, defaultIdentitySettings.maxTokenBytes);
    if ('denial' in segments) return segments;
    const claims = readObject('payload', segments.value.payload);
    return 'denial' in claims ? claims : { identity: toIdentity(claims.value, rules, spec.name) };
  };
  return {
    layer: 'message',
    spec,
    places: placesOf(spec),
    firstLoad: Promise.resolve(),
    verify,
    status: () => ({ keys: 0, keyAgeSeconds: undefined, lastError: undefined }),
    close: () => undefined,
  };
}

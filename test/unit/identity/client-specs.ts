import type { ApiKeyProviderSpec, SharedSecretJwtProviderSpec } from '../../../src/policy/provider-spec.ts';
import { bearer } from './identity-fixtures.ts';

export const apiKeySpec: ApiKeyProviderSpec = {
  kind: 'IdentityProvider',
  type: 'APIKey',
  namespace: 'shop',
  name: 'keys',
  from: [{ in: 'header', name: 'x-api-key', scheme: undefined }],
  secrets: { namespace: 'shop', labels: [['portcullis.dev/api-key', 'true']] },
};

export function sharedSecretSpec(changes: Partial<SharedSecretJwtProviderSpec> = {}): SharedSecretJwtProviderSpec {
  return {
    kind: 'IdentityProvider',
    type: 'SharedSecretJWT',
    namespace: 'shop',
    name: 'partners',
    keyClaim: { in: 'claim', name: 'iss' },
    secrets: { namespace: 'shop', labels: [['portcullis.dev/consumer', 'true']] },
    secretEncoding: 'Plain',
    algorithms: ['HS256'],
    verifyNotBefore: true,
    from: [bearer],
    ...changes,
  };
}

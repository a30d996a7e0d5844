import { guard, oneOf, unsupported, type Schema } from './json-schema.ts';
import { jwt } from './jwt-provider.ts';
import { apiKey, basic, clientCertificate, introspection, sharedSecretJwt } from './later-providers.ts';
import { login } from './login-provider.ts';
import { serviceAccount } from './service-account-provider.ts';

const builtParts = { JWT: 'jwt', ServiceAccount: 'serviceAccount' };
const laterParts = {
  SharedSecretJWT: 'sharedSecretJwt',
  Introspection: 'introspection',
  APIKey: 'apiKey',
  ClientCertificate: 'clientCertificate',
  Basic: 'basic',
  Login: 'login',
};

/** `spec` of an IdentityProvider and of a ClusterIdentityProvider. */
export const identityProviderSpec: Schema = guard(
  'Who says who somebody is.',
  {
    type: oneOf(
      'The kind of provider. The field of that name stands beside it, and no other.',
      Object.keys(builtParts),
      {
        unsupportedValues: Object.keys(laterParts),
      },
    ),
    jwt,
    sharedSecretJwt: unsupported(sharedSecretJwt),
    introspection: unsupported(introspection),
    apiKey: unsupported(apiKey),
    clientCertificate: unsupported(clientCertificate),
    serviceAccount,
    basic: unsupported(basic),
    login: unsupported(login),
  },
  {
    required: ['type'],
    validations: Object.entries({ ...builtParts, ...laterParts }).map(([type, part]) => ({
      rule: `(self.type == '${type}') == has(self.${part})`,
      message: `type ${type} needs the field ${part}, and no other type has it`,
    })),
  },
);

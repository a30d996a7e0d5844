import { introspection } from './introspection-provider.ts';
import { guard, oneOf, unsupported, type Schema } from './json-schema.ts';
import { jwt } from './jwt-provider.ts';
import { apiKey, basic, clientCertificate, serviceAccount, sharedSecretJwt } from './later-providers.ts';
import { login } from './login-provider.ts';

const builtParts = { JWT: 'jwt', Introspection: 'introspection' };
const laterParts = {
  SharedSecretJWT: 'sharedSecretJwt',
  APIKey: 'apiKey',
  ClientCertificate: 'clientCertificate',
  ServiceAccount: 'serviceAccount',
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
    introspection,
    apiKey: unsupported(apiKey),
    clientCertificate: unsupported(clientCertificate),
    serviceAccount: unsupported(serviceAccount),
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

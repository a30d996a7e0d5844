import { apiKey } from './api-key-provider.ts';
import { basic } from './basic-provider.ts';
import { clientCertificate } from './client-certificate-provider.ts';
import { introspection } from './introspection-provider.ts';
import { guard, oneOf, unsupported, type Schema } from './json-schema.ts';
import { jwt } from './jwt-provider.ts';
import { login } from './login-provider.ts';
import { serviceAccount } from './service-account-provider.ts';
import { sharedSecretJwt } from './shared-secret-jwt-provider.ts';

const builtParts = {
  JWT: 'jwt',
  Basic: 'basic',
  ServiceAccount: 'serviceAccount',
  Introspection: 'introspection',
  SharedSecretJWT: 'sharedSecretJwt',
  APIKey: 'apiKey',
  ClientCertificate: 'clientCertificate',
};
const laterParts = {
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
    sharedSecretJwt,
    introspection,
    apiKey,
    clientCertificate,
    serviceAccount: serviceAccount,
    basic,
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

import { jwtAlgorithms } from '../spec.ts';
import { duration, list, object, objectName, oneOf, text, unsupported, type Schema } from './json-schema.ts';

const configMapRef: Schema = object(
  { name: objectName, key: text(253, { pattern: '^[-._A-Za-z0-9]+$' }) },
  { required: ['name', 'key'] },
);

const binding = oneOf(['IfBound'], ['Required', 'Ignore']);

const jwt: Schema = object(
  {
    issuer: text(2048),
    audiences: list(text(2048), 32),
    jwks: object({ uri: text(2048), inline: text(262_144), configMapRef, caRef: configMapRef }, { minProperties: 1 }),
    algorithms: list(oneOf(jwtAlgorithms), jwtAlgorithms.length, { uniqueItems: true }),
    profile: oneOf(['Any', 'AccessToken', 'IDToken']),
    clockSkew: duration,
    maxLifetime: duration,
    requiredClaims: list(text(256), 32),
    from: list(object({ header: text(128), scheme: text(64), cookie: text(128), query: text(128) }), 8),
    claims: object(
      { subject: text(256), scopes: list(text(256), 16), roles: list(text(256), 16) },
      { minProperties: 1 },
    ),
    binding: object({ certificate: binding, dpop: binding }, { minProperties: 1 }),
  },
  { required: ['issuer', 'audiences'] },
);

const laterTypes = [
  'SharedSecretJWT',
  'Introspection',
  'APIKey',
  'ClientCertificate',
  'ServiceAccount',
  'Basic',
  'Login',
];

/** `spec` of an IdentityProvider and of a ClusterIdentityProvider. */
export const identityProviderSpec: Schema = object(
  {
    type: oneOf(['JWT'], laterTypes),
    jwt,
    sharedSecretJwt: unsupported,
    introspection: unsupported,
    apiKey: unsupported,
    clientCertificate: unsupported,
    serviceAccount: unsupported,
    basic: unsupported,
    login: unsupported,
  },
  { required: ['type'] },
);

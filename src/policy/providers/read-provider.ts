import type { IdentityProviderShape } from '../document-shape.ts';
import type { ProblemList } from '../problem-list.ts';
import type { IdentityProviderSpec } from '../provider-spec.ts';
import type { ProviderHead } from './provider-head.ts';
import { readApiKeyProvider } from './read-api-key-provider.ts';
import { readBasicProvider } from './read-basic-provider.ts';
import { readClientCertificateProvider } from './read-client-certificate-provider.ts';
import { readIntrospectionProvider } from './read-introspection-provider.ts';
import { readJwtProvider } from './read-jwt-provider.ts';
import { readServiceAccountProvider } from './read-service-account-provider.ts';
import { readSharedSecretJwtProvider } from './read-shared-secret-jwt-provider.ts';

/** The part that stands beside each type (S3). */
export const partOfType = {
  JWT: 'jwt',
  SharedSecretJWT: 'sharedSecretJwt',
  Introspection: 'introspection',
  APIKey: 'apiKey',
  ClientCertificate: 'clientCertificate',
  ServiceAccount: 'serviceAccount',
  Basic: 'basic',
} as const satisfies Record<IdentityProviderSpec['type'], keyof IdentityProviderShape>;

/** Reads the `spec` of a provider whose structure is right; undefined where an error makes it unusable. */
export function readProvider(
  head: ProviderHead,
  shape: IdentityProviderShape,
  problems: ProblemList,
): IdentityProviderSpec | undefined {
  checkUnion(shape, problems);
  const spec = readPart(head, shape, problems);
  return problems.hasError() ? undefined : spec;
}

/** S3: the part of the type, and no other. */
function checkUnion(shape: IdentityProviderShape, problems: ProblemList): void {
  const own = partOfType[shape.type];
  if (shape[own] === undefined)
    problems.error('missing-field', ['spec'], `a provider of type ${shape.type} needs the field ${own}`);
  for (const part of Object.values(partOfType)) {
    if (part === own || shape[part] === undefined) continue;
    problems.error('invalid-value', ['spec', part], `${part} does not stand with type ${shape.type}, which has ${own}`);
  }
}

function readPart(
  head: ProviderHead,
  shape: IdentityProviderShape,
  problems: ProblemList,
): IdentityProviderSpec | undefined {
  switch (shape.type) {
    case 'JWT':
      return shape.jwt && readJwtProvider(head, shape.jwt, problems);
    case 'SharedSecretJWT':
      return shape.sharedSecretJwt && readSharedSecretJwtProvider(head, shape.sharedSecretJwt, problems);
    case 'Introspection':
      return shape.introspection && readIntrospectionProvider(head, shape.introspection, problems);
    case 'APIKey':
      return shape.apiKey && readApiKeyProvider(head, shape.apiKey, problems);
    case 'ClientCertificate':
      return shape.clientCertificate && readClientCertificateProvider(head, shape.clientCertificate, problems);
    case 'ServiceAccount':
      return shape.serviceAccount && readServiceAccountProvider(head, shape.serviceAccount);
    case 'Basic':
      return shape.basic && readBasicProvider(head, shape.basic);
  }
}

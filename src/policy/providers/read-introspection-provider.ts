import type { IntrospectionShape } from '../document-shape.ts';
import { quote, type FieldPath, type ProblemList } from '../problem-list.ts';
import type { IntrospectionProviderSpec } from '../provider-spec.ts';
import { isHttpUrl } from './http-url.ts';
import type { ProviderHead } from './provider-head.ts';
import { bearer } from './read-places.ts';
import { readSeconds } from './read-seconds.ts';

const at: FieldPath = ['spec', 'introspection'];

/** Reads `introspection`. Where the list gets an error, what is returned is not to be used. */
export function readIntrospectionProvider(
  { kind, namespace, name, materials }: ProviderHead,
  shape: IntrospectionShape,
  problems: ProblemList,
): IntrospectionProviderSpec {
  const { endpoint, clientAuthentication, cache, timeout } = shape;
  if (!isHttpUrl(endpoint))
    problems.error(
      'invalid-value',
      [...at, 'endpoint'],
      `${quote(endpoint)} is no http or https URL without user and fragment`,
    );
  return {
    kind,
    type: 'Introspection',
    namespace,
    name,
    endpoint,
    clientAuthentication: {
      method: clientAuthentication.method,
      secret: { namespace: materials, name: clientAuthentication.secretRef.name },
    },
    issuer: shape.issuer,
    audiences: shape.audiences,
    cacheTtl: readSeconds(cache?.ttl, [...at, 'cache', 'ttl'], problems) ?? 60,
    timeout: readSeconds(timeout, [...at, 'timeout'], problems) ?? 2,
    from: [bearer],
  };
}

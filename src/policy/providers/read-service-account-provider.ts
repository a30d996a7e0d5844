import type { ServiceAccountShape } from '../document-shape.ts';
import type { ServiceAccountProviderSpec } from '../provider-spec.ts';
import type { ProviderHead } from './provider-head.ts';
import { bearer } from './read-places.ts';

/** Reads `serviceAccount`. */
export function readServiceAccountProvider(
  { kind, namespace, name }: ProviderHead,
  { audiences }: ServiceAccountShape,
): ServiceAccountProviderSpec {
  return { kind, type: 'ServiceAccount', namespace, name, audiences, from: [bearer] };
}

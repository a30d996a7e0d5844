import type { BasicShape } from '../document-shape.ts';
import type { BasicProviderSpec, CredentialPlace } from '../provider-spec.ts';
import type { ProviderHead } from './provider-head.ts';

/** RFC 7617. */
const basic: CredentialPlace = { in: 'header', name: 'authorization', scheme: 'Basic' };

/** Reads `basic`. */
export function readBasicProvider(
  { kind, namespace, name, materials }: ProviderHead,
  { secretRef }: BasicShape,
): BasicProviderSpec {
  return { kind, type: 'Basic', namespace, name, users: { namespace: materials, ...secretRef }, from: [basic] };
}

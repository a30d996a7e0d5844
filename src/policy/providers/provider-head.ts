import type { ProviderKind } from '../provider-spec.ts';
import type { SpecName } from '../spec-name.ts';

/** What is known of a provider before its part is read. */
export interface ProviderHead extends SpecName {
  readonly kind: ProviderKind;
  /** The namespace of the Secrets and ConfigMaps that it refers to: its own, or the service's for a cluster provider. */
  readonly materials: string;
}

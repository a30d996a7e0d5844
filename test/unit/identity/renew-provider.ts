import type { IdentityProvider } from '../../../src/phases/identity/identity-provider.ts';
import type { ProviderMaterial } from '../../../src/policy/providers/provider-material.ts';
import { runAtOnce } from '../../../src/std/steps.ts';

/** Puts other Secrets and ConfigMaps in force for the provider, from one moment to the next. */
export function renewProvider({ renew }: IdentityProvider, material: ProviderMaterial): void {
  if (renew !== undefined) runAtOnce(renew(material))();
}

import type { IdentityProvider } from '../phases/identity/identity-provider.ts';
import type { RefusedPolicy } from '../policy/salvage-policy.ts';
import { specKey, type AccessPolicySpec, type CredentialPlace, type PolicySpec } from '../policy/spec.ts';
import { compilePolicy, type CompiledPolicy, type KnownPlaces } from './compile-policy.ts';
import { compileRefused } from './compile-refused.ts';
import { compileFloor, compileRefusedFloor, type CompiledFloor } from './floor.ts';

/** Compiles policies and remembers them, so that one change compiles one policy. */
export interface PolicyCompiler {
  compile(
    policies: readonly { readonly key: string; readonly spec: PolicySpec }[],
    refused: readonly RefusedPolicy[],
    providers: ReadonlyMap<string, IdentityProvider>,
  ): { readonly policies: readonly CompiledPolicy[]; readonly floors: readonly CompiledFloor[] };
}

interface Compiled {
  readonly spec: AccessPolicySpec;
  /** Those of the spec, in its order; undefined where one is gone. */
  readonly providers: readonly (IdentityProvider | undefined)[];
  readonly policy: CompiledPolicy;
}

export function createPolicyCompiler(): PolicyCompiler {
  let known: ReadonlyMap<string, Compiled> = new Map();
  let knownRefused: ReadonlyMap<string, CompiledPolicy> = new Map();
  let places: KnownPlaces = new Map();
  return {
    compile: (specs, refused, providers) => {
      const next = new Map<string, Compiled>();
      places = knownPlaces(specs, providers, places);
      const floors: CompiledFloor[] = [];
      for (const { key, spec } of specs) {
        if (spec.kind === 'ClusterAccessPolicy') floors.push(compileFloor(spec));
        else next.set(key, compileOne(spec, known.get(key), providers, places));
      }
      known = next;
      const denying = new Map<string, CompiledPolicy>();
      for (const policy of refused) {
        if (policy.kind === 'ClusterAccessPolicy') floors.push(compileRefusedFloor(policy));
        else {
          const text = JSON.stringify(policy);
          denying.set(text, knownRefused.get(text) ?? compileRefused(policy));
        }
      }
      knownRefused = denying;
      return { policies: [...[...next.values()].map(({ policy }) => policy), ...denying.values()], floors };
    },
  };
}

/** Where credentials of every provider stand that a policy in force names; of one that is gone, where they stood (S20). */
function knownPlaces(
  policies: readonly { readonly spec: PolicySpec }[],
  running: ReadonlyMap<string, IdentityProvider>,
  before: KnownPlaces,
): KnownPlaces {
  const known = new Map<string, readonly CredentialPlace[]>();
  for (const { spec } of policies) {
    for (const ref of spec.kind === 'AccessPolicy' ? spec.providers : []) {
      const key = specKey(ref);
      const places = running.get(key)?.places ?? before.get(key);
      if (places !== undefined) known.set(key, places);
    }
  }
  return known;
}

function compileOne(
  spec: AccessPolicySpec,
  before: Compiled | undefined,
  providers: ReadonlyMap<string, IdentityProvider>,
  places: KnownPlaces,
): Compiled {
  const used = spec.providers.map((ref) => providers.get(specKey(ref)));
  const isSame = before?.spec === spec && before.providers.every((provider, index) => provider === used[index]);
  return isSame ? before : { spec, providers: used, policy: compilePolicy(spec, providers, places) };
}

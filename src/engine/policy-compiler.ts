import type { IdentityProvider } from '../phases/identity/identity-provider.ts';
import type { RefusedPolicy } from '../policy/salvage-policy.ts';
import { specKey, type AccessPolicySpec } from '../policy/spec.ts';
import { compilePolicy, compileRefused, type CompiledPolicy } from './compile-policy.ts';

/** Compiles policies and remembers them, so that one change compiles one policy. */
export interface PolicyCompiler {
  compile(
    policies: readonly { readonly key: string; readonly spec: AccessPolicySpec }[],
    refused: readonly RefusedPolicy[],
    providers: ReadonlyMap<string, IdentityProvider>,
  ): readonly CompiledPolicy[];
}

interface Compiled {
  readonly spec: AccessPolicySpec;
  /** Those of the spec, in its order; undefined where one is gone. */
  readonly providers: readonly (IdentityProvider | undefined)[];
  readonly policy: CompiledPolicy;
}

export function createPolicyCompiler(): PolicyCompiler {
  let known: ReadonlyMap<string, Compiled> = new Map();
  return {
    compile: (policies, refused, providers) => {
      const next = new Map<string, Compiled>();
      for (const { key, spec } of policies) {
        const used = spec.providers.map((ref) => providers.get(specKey(ref)));
        const before = known.get(key);
        const isSame = before?.spec === spec && before.providers.every((provider, index) => provider === used[index]);
        next.set(key, isSame ? before : { spec, providers: used, policy: compilePolicy(spec, providers) });
      }
      known = next;
      return [...[...next.values()].map(({ policy }) => policy), ...refused.map(compileRefused)];
    },
  };
}

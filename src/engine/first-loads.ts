import type { Timers } from '../core/ports.ts';
import type { IdentityProvider } from '../phases/identity/identity-provider.ts';
import { specKey } from '../policy/spec-name.ts';
import type { Haste } from './haste.ts';

/** Waits for the first keys of new providers. Who has been waited for in vain is not waited for again, until it is of another issuer. */
export interface FirstLoads {
  /** Resolves when all that are waited for have tried their keys once, the time is over, or somebody may not wait for those that are left. */
  wait(providers: readonly IdentityProvider[], timeoutMs: number, haste: Pick<Haste, 'isOn' | 'listen'>): Promise<void>;
}

/** Names are made up more quickly than issuers are waited for: the oldest are forgotten. */
const maxSilent = 1000;

export function createFirstLoads(timers: Timers): FirstLoads {
  /** By provider, the issuer that did not answer in time. */
  const silent = new Map<string, string>();
  const isSilent = ({ spec }: IdentityProvider): boolean => silent.get(specKey(spec)) === issuerOf(spec);
  return {
    wait: (providers, timeoutMs, haste) =>
      new Promise((resolve) => {
        const waiting = new Set(providers.filter((one) => !isSilent(one)));
        const end = (): void => {
          cancel();
          stopListening();
          resolve();
        };
        const giveUp = (): void => {
          for (const { spec } of waiting) silent.set(specKey(spec), issuerOf(spec));
          for (const key of silent.keys()) if (silent.size > maxSilent) silent.delete(key);
          end();
        };
        const review = (): void => {
          if ([...waiting].every(({ spec }) => haste.isOn(spec.namespace))) end();
        };
        const cancel = timers.after(timeoutMs, giveUp);
        const stopListening = haste.listen(review);
        for (const provider of providers) {
          const loaded = (): void => {
            if (isSilent(provider)) silent.delete(specKey(provider.spec));
            waiting.delete(provider);
            review();
          };
          void provider.firstLoad.then(loaded, loaded);
        }
        review();
      }),
  };
}

function issuerOf(spec: IdentityProvider['spec']): string {
  return 'issuer' in spec ? (spec.issuer ?? '') : '';
}

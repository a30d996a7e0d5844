import type { Logger } from '../../../core/ports.ts';
import type { IdentityProviderSpec } from '../../../policy/provider-spec.ts';
import { specKey } from '../../../policy/spec-name.ts';

/** Logs which Secrets of the provider are refused, whenever that is other than it was. */
export function tellRefused(
  spec: IdentityProviderSpec,
  clients: { readonly problem: string | undefined },
  logger: Logger,
): () => void {
  let told: string | undefined;
  return () => {
    const { problem } = clients;
    if (problem === told) return;
    told = problem;
    if (problem !== undefined)
      logger.warn({ provider: specKey(spec), refused: problem }, 'Secrets of a provider are refused');
    else logger.info({ provider: specKey(spec) }, 'no Secret of the provider is refused any more');
  };
}

import { Failure } from '../core/failure.ts';
import type { Clock, HttpClient, Logger, Random, Timers } from '../core/ports.ts';
import { createDangerouslyBelievingProvider } from '../phases/identity/dangerously-believing-provider.ts';
import { createJwtProvider } from '../phases/identity/jwt/jwt-provider.ts';
import type { IdentityProviderSpec } from '../policy/spec.ts';
import { createEngine, type Engine, type EngineSettings } from './engine.ts';
import type { CreateProvider } from './provider-pool.ts';

/** Where an engine without a network has its knowledge of tokens from. */
export type OfflineKeys =
  /** Out of the documents alone; providers whose keys are fetched have none. */
  | { readonly kind: 'documents' }
  /** A JWK Set (JSON text) for every provider. */
  | { readonly kind: 'jwks'; readonly json: string }
  /** Each provider's own: a JWK Set (JSON text); undefined: what its document says. */
  | { readonly kind: 'by-provider'; readonly jwksOf: (spec: IdentityProviderSpec) => string | undefined }
  /** DANGEROUS: every token is believed. */
  | { readonly kind: 'believe-everything' };

export interface OfflinePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
}

/** The engine as it serves, without a network: for explanations, never for answers to a proxy. */
export function createOfflineEngine(
  settings: Pick<EngineSettings, 'trustedHops' | 'maxHeaders' | 'serviceNamespace' | 'hostGrants' | 'ownedHeaders'> &
    Partial<Pick<EngineSettings, 'shadowAll'>>,
  keys: OfflineKeys,
  ports: OfflinePorts,
): Engine {
  const nothing = (): void => undefined;
  const events = { tokenCache: nothing, keyFetch: nothing, expressionFailed: nothing };
  return createEngine(
    { shadowAll: false, ...settings, keyLoadTimeoutMs: 1000, identity: {} },
    { ...ports, http: noNetwork, events, createProvider: providerFactory(keys) },
  );
}

const noNetwork: HttpClient = {
  get: () => Promise.reject(new Failure('offline', 'nothing is fetched offline')),
};

function providerFactory(keys: OfflineKeys): CreateProvider {
  switch (keys.kind) {
    case 'documents':
      return createJwtProvider;
    case 'jwks':
      return (spec, material, ports) =>
        createJwtProvider({ ...spec, keys: { type: 'Inline', json: keys.json } }, material, ports);
    case 'by-provider':
      return (spec, material, ports) => {
        const json = keys.jwksOf(spec);
        const known = json === undefined ? spec : { ...spec, keys: { type: 'Inline', json } as const };
        return createJwtProvider(known, material, ports);
      };
    case 'believe-everything':
      return (spec) => createDangerouslyBelievingProvider(spec);
  }
}

import { Failure } from '../core/failure.ts';
import type { Clock, HttpClient, KubernetesReviews, Logger, PasswordChecker, Random, Timers } from '../core/ports.ts';
import { createProvider, type CreateProvider } from '../phases/identity/create-provider.ts';
import { createDangerouslyBelievingProvider } from '../phases/identity/dangerously-believing-provider.ts';
import { isClaimsProvider, type IntrospectionProviderSpec, type JwtProviderSpec } from '../policy/provider-spec.ts';
import { createAnsweredIntrospection, type TokenAnswers } from './answered-introspection.ts';
import { createEngine, type Engine, type EngineSettings } from './engine.ts';

export { writeBelievedToken } from '../phases/identity/dangerously-believing-provider.ts';

/** Where an engine without a network has its knowledge of tokens from. */
export type OfflineKeys =
  /** Out of the documents alone; providers whose keys are fetched have none. */
  | { readonly kind: 'documents' }
  /** A JWK Set (JSON text) for every provider. */
  | { readonly kind: 'jwks'; readonly json: string }
  /** Each provider's own: a JWK Set (JSON text), or what the issuer that is asked says; undefined: as its document says. */
  | {
      readonly kind: 'by-provider';
      readonly jwksOf: (spec: JwtProviderSpec) => string | undefined;
      readonly answersOf: (spec: IntrospectionProviderSpec) => TokenAnswers | undefined;
    }
  /** DANGEROUS: every token is believed. */
  | { readonly kind: 'believe-everything' };

export interface OfflinePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly passwords: PasswordChecker;
  /** Stands in for the API server; undefined: nobody can be asked. */
  readonly reviews?: KubernetesReviews | undefined;
}

/** The engine as it serves, without a network: for explanations, never for answers to a proxy. */
export function createOfflineEngine(
  settings: Pick<EngineSettings, 'trustedHops' | 'maxHeaders' | 'serviceNamespace' | 'hostGrants' | 'ownedHeaders'> &
    Partial<Pick<EngineSettings, 'shadowAll' | 'forwardedClientCertFrom'>>,
  keys: OfflineKeys,
  ports: OfflinePorts,
): Engine {
  const nothing = (): void => undefined;
  const events = {
    tokenCache: nothing,
    keyFetch: nothing,
    introspection: nothing,
    passwordCheck: nothing,
    expressionFailed: nothing,
  };
  return createEngine(
    { shadowAll: false, ...settings, keyLoadTimeoutMs: 1000, identity: {} },
    { ...ports, http: noNetwork, events, createProvider: providerFactory(keys) },
  );
}

const noNetwork: HttpClient = {
  get: () => Promise.reject(new Failure('offline', 'nothing is fetched offline')),
  send: () => Promise.reject(new Failure('offline', 'nobody is asked offline')),
};

function providerFactory(keys: OfflineKeys): CreateProvider {
  const withKeys =
    (jwksOf: (spec: JwtProviderSpec) => string | undefined): CreateProvider =>
    (spec, material, ports) => {
      const json = spec.type === 'JWT' ? jwksOf(spec) : undefined;
      const known =
        spec.type !== 'JWT' || json === undefined ? spec : { ...spec, keys: { type: 'Inline', json } as const };
      return createProvider(known, material, ports);
    };
  switch (keys.kind) {
    case 'documents':
      return createProvider;
    case 'jwks':
      return withKeys(() => keys.json);
    case 'by-provider': {
      const create = withKeys(keys.jwksOf);
      return (spec, material, ports) => {
        const answers = spec.type === 'Introspection' ? keys.answersOf(spec) : undefined;
        return spec.type === 'Introspection' && answers !== undefined
          ? createAnsweredIntrospection(spec, answers, ports)
          : create(spec, material, ports);
      };
    }
    case 'believe-everything':
      return (spec, material, ports) =>
        isClaimsProvider(spec) ? createDangerouslyBelievingProvider(spec) : createProvider(spec, material, ports);
  }
}

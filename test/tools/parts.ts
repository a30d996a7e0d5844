import { bringEnvoy, findEnvoy } from '../../src/dev/envoy-binary.ts';
import type { Environment } from '../../src/dev/install-in-cache.ts';
import { egctlPart } from './parts/egctl.ts';
import { etcdPart } from './parts/etcd.ts';
import { ghzPart } from './parts/ghz.ts';
import { grpcurlPart } from './parts/grpcurl.ts';
import { h2loadPart } from './parts/h2load.ts';
import { h2specPart } from './parts/h2spec.ts';
import { helm3Part } from './parts/helm3.ts';
import { istioApiPart } from './parts/istio-api.ts';
import { keycloakPart } from './parts/keycloak.ts';
import { kubeApiserverPart } from './parts/kube-apiserver.ts';
import { helm4Part, kubectlPart } from './parts/kubectl-layer.ts';
import type { Part } from './parts/part.ts';
import { redisPart } from './parts/redis.ts';

export const envoyPart: Part = {
  name: 'Envoy',
  find: findEnvoy,
  bring: (environment, progress) => bringEnvoy({ environment, progress }),
};

/** In the order they are brought: what fails fast comes before what takes long. */
export const parts: readonly Part[] = [
  envoyPart,
  etcdPart,
  redisPart,
  kubectlPart,
  helm4Part,
  helm3Part,
  istioApiPart,
  keycloakPart,
  h2loadPart,
  h2specPart,
  grpcurlPart,
  ghzPart,
  kubeApiserverPart,
  egctlPart,
];

/** True where a missing part is a failure and not a reason to skip. */
export function partsAreRequired(environment: Environment): boolean {
  return environment['CI'] === 'true';
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEchoUpstream } from '../../../src/dev/echo-upstream.ts';
import { envoyConfig, type EnvoySetup } from '../../../src/dev/envoy-config.ts';
import { startEnvoy, type RunningEnvoy } from '../../../src/dev/envoy-process.ts';
import { startIssuer, type Issuer } from '../../../src/dev/issuer.ts';
import type { LoopbackServer } from '../../../src/dev/loopback-server.ts';
import { startPortcullis, type SettingFlags } from '../../../src/dev/start-portcullis.ts';
import type { RunningService } from '../../../src/runtime/service.ts';

/** Everything of a request's way, real and on loopback: an issuer, the service behind, Portcullis, and Envoy in front. */
export interface Stand {
  /** Of Envoy's listener. */
  readonly port: number;
  readonly envoy: RunningEnvoy;
  readonly issuer: Issuer;
  readonly upstream: LoopbackServer;
  readonly portcullis: RunningService;
  /** The folder of policies that Portcullis watches; write there to change what is in force. */
  readonly policyFolder: string;
  close(): Promise<void>;
}

export interface StandOptions extends Pick<
  EnvoySetup,
  'filter' | 'connectionManager' | 'routes' | 'authorizationCluster' | 'filterChain'
> {
  readonly envoyBinary: string;
  /** Settings of Portcullis beside those of a demonstration. */
  readonly settings?: SettingFlags;
  /** The text of `policy.yaml`, given the issuer's name; its tokens have the audience `orders`. */
  readonly policies: (issuer: string) => string;
}

/** Starts the stand; where a part does not start, those before it are ended. */
export async function startStand(options: StandOptions): Promise<Stand> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    const issuer = await startIssuer(0, 'orders');
    closers.push(() => issuer.close());
    const upstream = await startEchoUpstream();
    closers.push(() => upstream.close());
    const policyFolder = await mkdtemp(join(tmpdir(), 'portcullis-stand-'));
    closers.push(() => rm(policyFolder, { recursive: true, force: true }));
    await writeFile(join(policyFolder, 'policy.yaml'), options.policies(issuer.issuer));
    const portcullis = await startPortcullis(policyFolder, options.settings);
    closers.push(() => portcullis.stop());
    const envoy = await startEnvoyBefore(portcullis.grpcAddress, upstream.port, options);
    closers.push(() => envoy.close());
    return { port: envoy.port, envoy, issuer, upstream, portcullis, policyFolder, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** An Envoy alone, before any ext_authz service: Portcullis, or a fake one that answers what a test wants. */
export function startEnvoyBefore(
  authorizationAddress: string,
  upstreamPort: number,
  {
    envoyBinary,
    filter,
    connectionManager,
    routes,
    authorizationCluster,
    filterChain,
  }: Omit<StandOptions, 'policies' | 'settings'>,
): Promise<RunningEnvoy> {
  const setup = {
    port: 0,
    upstreamPort,
    authorizationAddress,
    filter,
    connectionManager,
    routes,
    authorizationCluster,
    filterChain,
  };
  return startEnvoy(envoyBinary, envoyConfig(setup));
}

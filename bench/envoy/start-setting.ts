import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../src/core/json.ts';
import { exchange } from '../../src/dev/http-exchange.ts';
import { usualHeaders } from '../check-message.ts';
import { startProgram, type Child } from '../child-process.ts';
import { freePort } from '../free-port.ts';
import { hostName, policyPath } from '../policy-folder.ts';
import type { PortcullisProcess } from '../portcullis-process.ts';
import type { Stand } from '../stand.ts';
import { waitForPort } from '../wait-for-port.ts';
import { envoyConfigOf, upstreamConfig, type SettingName } from './envoy-settings.ts';

/** An Envoy with what it asks, on one core. */
export interface StartedSetting {
  readonly name: SettingName;
  readonly port: number;
  readonly envoy: Child;
  readonly portcullis: PortcullisProcess | undefined;
  /** The request that is allowed, whole. */
  readonly request: Uint8Array;
  stop(): Promise<void>;
}

const path = policyPath(0);

/** On the core of the load. */
export async function startUpstream(stand: Stand, binary: string): Promise<StartedEnvoy> {
  return startEnvoy('upstream', upstreamConfig, stand, { binary, core: stand.cores?.generator });
}

export async function startSetting(
  name: SettingName,
  stand: Stand,
  { binary, upstreamPort }: { readonly binary: string; readonly upstreamPort: number },
): Promise<StartedSetting> {
  const portcullis = name === 'native' || name === 'grpc-js' ? await startPortcullis(name, stand) : undefined;
  const authorizationPort = portcullis?.address.kind === 'tcp' ? portcullis.address.port : undefined;
  const keys = await keysOf(stand.issuer);
  const needs = { authorizationPort, issuer: stand.issuer, keys, upstreamPort };
  const config = (port: number): JsonObject => envoyConfigOf(name, { port, ...needs });
  const { port, envoy } = await startEnvoy(name, config, stand, { binary, core: stand.cores?.server });
  const stop = async (): Promise<void> => {
    await envoy.stop();
    await portcullis?.stop();
  };
  const token = await stand.mintToken('alice');
  return { name, port, envoy, portcullis, request: encodeRequest(token), stop };
}

interface StartedEnvoy {
  readonly port: number;
  readonly envoy: Child;
}

async function startEnvoy(
  name: string,
  configAt: (port: number) => JsonObject,
  { workFolder }: Stand,
  { binary, core }: { readonly binary: string; readonly core: number | undefined },
): Promise<StartedEnvoy> {
  const port = await freePort();
  const file = join(workFolder, `envoy-${name}.json`);
  await writeFile(file, JSON.stringify(configAt(port)));
  const flags = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warn'];
  const outputFile = join(workFolder, `envoy-${name}.log`);
  const envoy = startProgram(binary, ['--config-path', file, ...flags], { core, outputFile });
  await waitForPort(port, () => envoy.assertRunning());
  return { port, envoy };
}

async function startPortcullis(name: 'native' | 'grpc-js', stand: Stand): Promise<PortcullisProcess> {
  const policies = await stand.policyFolder(1, 1);
  return stand.startPortcullis({ name: `envoy-${name}`, policies, flags: ['--transport', name] });
}

/** What Portcullis fetches, Envoy is given. */
async function keysOf(issuer: string): Promise<string> {
  const { port, pathname } = new URL(issuer);
  const { body } = await exchange(Number(port), { method: 'GET', path: `${pathname}/jwks`, headers: {} });
  return body;
}

/** Throws where the setting does not do the same job as the others: who reads is let through by name, and nobody else is. */
export async function assertSameJob({ name, port }: StartedSetting, stand: Stand): Promise<void> {
  const good = await stand.mintToken('alice');
  const stranger = await stand.mintToken('mallory', { roles: ['guest'] });
  const ask = async (method: string, target: string, token?: string): Promise<string> => {
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const headers = { ...usualHeaders, host: hostName(0), ...bearer };
    const answer = await exchange(port, { method, path: target, headers });
    const { 'x-seen-user': user = '', 'x-seen-token': seen } = answer.headers;
    return [answer.status, user, seen === undefined ? '' : 'with the token'].filter((part) => part !== '').join(' ');
  };
  const seen = [
    await ask('GET', path, good),
    await ask('GET', path, `${good.slice(0, -8)}${good.at(-9) === 'A' ? 'B' : 'A'}AAAAAAA`),
    await ask('GET', path),
    await ask('GET', path, stranger),
    await ask('POST', path, good),
    await ask('GET', '/elsewhere', good),
  ];
  const wanted =
    name === 'no-authorization'
      ? ['200 with the token', '200 with the token', '200', ...Array.from({ length: 3 }, () => '200 with the token')]
      : ['200 alice', '401', '401', '403', '403', '403'];
  if (seen.join() !== wanted.join())
    throw new Error(`${name} does another job than it should: ${seen.join(', ')} where ${wanted.join(', ')} is right`);
}

function encodeRequest(token: string): Uint8Array {
  const fields = Object.entries({ host: hostName(0), ...usualHeaders, authorization: `Bearer ${token}` });
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${fields.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`);
}

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allow } from '../src/core/decision.ts';
import { anonymous } from '../src/core/identity.ts';
import { createCheckResponseEncoder } from '../src/envoy/encode-check-response.ts';
import { encodeCheckMessage, withGrpcPrefix } from './check-message.ts';
import { startNode, type Child } from './child-process.ts';
import { createCredentials, type Credentials, type Place } from './credentials.ts';
import { freePort } from './free-port.ts';
import { waitForPort } from './wait-for-port.ts';
import type { LoadTarget } from './load.ts';
import { hostName, policyPath } from './policy-folder.ts';
import type { PortcullisProcess } from './portcullis-process.ts';
import type { RowName } from './rows.ts';
import { isBare, servedRows, type BareName, type ServedRow } from './served-rows.ts';
import type { Stand } from './stand.ts';

/** A server, running, and the load that is meant for it. */
export interface Started {
  readonly server: Child;
  readonly target: LoadTarget;
  /** Why the row does not measure what it says; undefined where it does. Asked when the load is over. */
  readonly objection: () => Promise<string | undefined>;
}

export interface StartedRow extends Started {
  readonly name: RowName;
}

const first: Place = { host: hostName(0), path: policyPath(0) };

export async function startRow(name: RowName, stand: Stand): Promise<StartedRow> {
  const started = await (isBare(name) ? startBare(name, stand) : startServe(name, stand, servedRows[name]));
  return { ...started, name };
}

/** `serve`, with what the row says. `name` is that of its files. */
export async function startServe(
  name: string,
  stand: Stand,
  row: ServedRow,
  nodeFlags: readonly string[] = [],
): Promise<Started> {
  const { transport, listen, credential, conditions, policies = { hosts: 1, perHost: 1 }, workers = 1 } = row;
  const credentials = await createCredentials(credential, stand, placeAmong(policies));
  const { messages, expected, isFresh } = credentials;
  const folder = await folderOf(credentials, stand, policies, conditions);
  const flags = [
    '--transport',
    transport,
    '--workers',
    String(workers),
    ...(process.env['XF'] ?? '').split(' ').filter(Boolean),
    ...credentials.flags,
  ];
  const server = await stand.startPortcullis({ name, policies: folder, listen, flags, nodeFlags });
  const target = { address: server.address, messages, expected };
  return { server, target, objection: () => (isFresh ? cacheObjection(server) : nothing()) };
}

/** In the middle of what there is: a search from either end would not find it early. */
function placeAmong({ hosts, perHost }: { readonly hosts: number; readonly perHost: number }): Place {
  return { host: hostName(hosts === 1 ? 0 : 50), path: policyPath(Math.floor(perHost / 2)) };
}

function folderOf(
  { folder }: Credentials,
  stand: Stand,
  { hosts, perHost }: NonNullable<ServedRow['policies']>,
  conditions: ServedRow['conditions'],
): Promise<string> {
  if (folder.kind === 'own') return Promise.resolve(folder.path);
  return stand.policyFolder(hosts, perHost, { ...folder.others, conditions });
}

/** What a server answers that decides nothing: an allow as the policies of the bench make it. */
function fixedAnswer(): Buffer {
  const about = { id: '', policy: '', rule: '', identity: anonymous, request: undefined };
  const removed = ['x_user_id', 'x_user_roles', 'x-envoy-auth-failure-mode-allowed', 'authorization'];
  const decision = allow(about, {
    setHeaders: [
      ['x-user-id', 'alice'],
      ['x-user-roles', 'reader,support'],
    ],
    removeHeaders: removed,
    removeQueryParameters: [],
  });
  return withGrpcPrefix(createCheckResponseEncoder().allow(decision, '/'));
}

async function startBare(name: BareName, stand: Stand): Promise<Started> {
  const program = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const port = await freePort();
  const outputFile = join(stand.workFolder, `${name}.log`);
  const core = stand.cores?.server;
  const server = startNode([program, String(port), fixedAnswer().toString('base64')], { core, outputFile });
  await waitForPort(port, () => server.assertRunning());
  const messages = [encodeCheckMessage({ ...first, token: await stand.mintToken('alice') })];
  return { server, target: { address: { kind: 'tcp', port }, messages, expected: 'allow' }, objection: nothing };
}

function nothing(): Promise<undefined> {
  return Promise.resolve(undefined);
}

async function cacheObjection(server: PortcullisProcess): Promise<string | undefined> {
  const hits = /^portcullis_token_cache_requests_total\{result="hit"\} (\d+)$/m.exec(await server.metrics())?.[1];
  return hits === '0' ? undefined : `${hits ?? 'an unknown number of'} tokens were remembered`;
}

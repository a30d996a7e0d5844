import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allow } from '../src/core/decision.ts';
import { anonymous } from '../src/core/identity.ts';
import { createCheckResponseEncoder } from '../src/envoy/encode-check-response.ts';
import { writeCertificateFolder } from './certificate-folder.ts';
import { encodeCheckMessage, withGrpcPrefix } from './check-message.ts';
import { createDpopClient } from './dpop-client.ts';
import { startNode, type Child } from './child-process.ts';
import { apiKey, hmacToken, type ClientKind } from './clients.ts';
import { freePort } from './free-port.ts';
import { waitForPort } from './wait-for-port.ts';
import type { LoadTarget } from './load.ts';
import { hostName, policyPath } from './policy-folder.ts';
import type { PortcullisProcess } from './portcullis-process.ts';
import type { RowName } from './rows.ts';
import type { Stand } from './stand.ts';
import type { Verdict } from './verdict.ts';

/** A row's server, running, and the load that is meant for it. */
export interface StartedRow {
  readonly name: RowName;
  readonly server: Child;
  readonly target: LoadTarget;
  /** Why the row does not measure what it says; undefined where it does. Asked when the load is over. */
  readonly objection: () => Promise<string | undefined>;
}

/** More tokens than the cache of the row holds, taken in turn: each was forgotten when it comes again. */
const freshTokens = 1000;
const freshTokenCache = 400;

/** The rows whose tokens must never come out of the cache. */
const fresh: ReadonlySet<RowName> = new Set(['new-tokens', 'new-es256', 'new-dpop']);

const first = { host: hostName(0), path: policyPath(0) };
/** Of the usual kind: the request, the identity, both. */
const conditions = [
  "request.method == 'GET' && request.path.startsWith('/service-')",
  "'reader' in identity.roles || 'clerk' in identity.roles",
  "identity.subject != '' && request.host.endsWith('.shop.example.com')",
];

const middle = { host: hostName(50), path: policyPath(5) };

export async function startRow(name: RowName, stand: Stand): Promise<StartedRow> {
  switch (name) {
    case 'bare-http2':
    case 'bare-grpc-js':
    case 'bare-native':
      return startBare(name, stand);
    case 'repeated-token':
    case 'repeated-native': {
      const flags = name === 'repeated-native' ? ['--transport', 'native'] : [];
      const messages = [encodeCheckMessage({ ...first, token: await stand.mintToken('alice') })];
      return startServe(name, stand, { hosts: 1, perHost: 1, messages, expected: 'allow', flags });
    }
    case 'no-token': {
      const messages = [encodeCheckMessage({ ...first, token: undefined })];
      return startServe(name, stand, { hosts: 1, perHost: 1, messages, expected: 'unauthenticated' });
    }
    case 'new-tokens': {
      const subjects = Array.from({ length: freshTokens }, (_subject, index) => `user-${index}`);
      const tokens = await Promise.all(subjects.map((subject) => stand.mintToken(subject)));
      const messages = tokens.map((token) => encodeCheckMessage({ ...first, token }));
      const flags = ['--token-cache-entries', String(freshTokenCache)];
      return startServe(name, stand, { hosts: 1, perHost: 1, messages, expected: 'allow', flags });
    }
    case 'certificate':
      return startCertificateRow(name, stand);
    case 'api-key': {
      const messages = [encodeCheckMessage({ ...first, token: undefined, apiKey: apiKey() })];
      return startServe(name, stand, { hosts: 1, perHost: 1, messages, expected: 'allow', clients: 'api-key' });
    }
    case 'hmac-token': {
      const messages = [encodeCheckMessage({ ...first, token: hmacToken('alice') })];
      return startServe(name, stand, { hosts: 1, perHost: 1, messages, expected: 'allow', clients: 'hmac' });
    }
    case 'new-hmac-tokens': {
      const tokens = Array.from({ length: freshTokens }, (_token, index) => hmacToken(`user-${index}`));
      const messages = tokens.map((token) => encodeCheckMessage({ ...first, token }));
      const flags = ['--token-cache-entries', String(freshTokenCache)];
      return startServe(name, stand, { hosts: 1, perHost: 1, messages, expected: 'allow', flags, clients: 'hmac' });
    }
    case 'new-es256': {
      const tokens = await mintEcTokens(stand);
      const messages = tokens.map((token) => encodeCheckMessage({ ...first, token }));
      const flags = ['--token-cache-entries', String(freshTokenCache)];
      return startServe(name, stand, { hosts: 1, perHost: 1, messages, expected: 'allow', flags, alg: 'ES256' });
    }
    case 'dpop':
    case 'new-dpop': {
      const client = createDpopClient(`https://${first.host}${first.path}`);
      const tokens = await mintEcTokens(stand, client.jkt, name === 'dpop' ? 1 : freshTokens);
      let position = 0;
      const messages = (): Uint8Array => {
        const token = tokens[position++ % tokens.length];
        if (token === undefined) throw new RangeError('there are no tokens');
        return encodeCheckMessage({ ...first, token, proof: client.prove(token) });
      };
      const flags = ['--token-cache-entries', String(freshTokenCache), '--dpop-replay-entries', '1000000'];
      return startServe(name, stand, { hosts: 1, perHost: 1, messages, expected: 'allow', flags, alg: 'ES256' });
    }
    case 'conditions': {
      const messages = [encodeCheckMessage({ ...first, token: await stand.mintToken('alice') })];
      return startServe(name, stand, { hosts: 1, perHost: 1, messages, expected: 'allow', conditions });
    }
    case 'ten-policies': {
      const messages = [encodeCheckMessage({ ...first, path: middle.path, token: await stand.mintToken('alice') })];
      return startServe(name, stand, { hosts: 1, perHost: 10, messages, expected: 'allow' });
    }
    case 'many-policies': {
      const messages = [encodeCheckMessage({ ...middle, token: await stand.mintToken('alice') })];
      return startServe(name, stand, { hosts: 1000, perHost: 10, messages, expected: 'allow' });
    }
  }
}

function mintEcTokens(stand: Stand, jkt?: string, count = freshTokens): Promise<readonly string[]> {
  const options = { alg: 'ES256', ...(jkt === undefined ? {} : { jkt }) } as const;
  return Promise.all(Array.from({ length: count }, (_subject, index) => stand.mintToken(`user-${index}`, options)));
}

interface ServeRow {
  readonly hosts: number;
  readonly perHost: number;
  readonly messages: LoadTarget['messages'];
  readonly expected: Verdict;
  readonly flags?: readonly string[];
  /** CEL that the rule asks for besides. */
  readonly conditions?: readonly string[];
  readonly clients?: ClientKind;
  /** Of the tokens; absent: RS256. */
  readonly alg?: 'ES256';
}

async function startServe(name: RowName, stand: Stand, row: ServeRow): Promise<StartedRow> {
  const { conditions: asked, clients, alg } = row;
  const policies = await stand.policyFolder(row.hosts, row.perHost, { conditions: asked, clients, alg });
  const server = await stand.startPortcullis({ name, policies, flags: row.flags });
  const { messages, expected } = row;
  const target = { port: server.grpcPort, messages, expected };
  return { name, server, target, objection: () => (fresh.has(name) ? cacheObjection(server) : nothing()) };
}

async function startCertificateRow(name: RowName, stand: Stand): Promise<StartedRow> {
  const { policies, host, certificate } = await writeCertificateFolder(join(stand.workFolder, name));
  const server = await stand.startPortcullis({ name, policies });
  const messages = [encodeCheckMessage({ host, path: policyPath(0), token: undefined, certificate })];
  return { name, server, target: { port: server.grpcPort, messages, expected: 'allow' }, objection: nothing };
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

async function startBare(name: 'bare-http2' | 'bare-grpc-js' | 'bare-native', stand: Stand): Promise<StartedRow> {
  const program = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const port = await freePort();
  const outputFile = join(stand.workFolder, `${name}.log`);
  const core = stand.cores?.server;
  const server = startNode([program, String(port), fixedAnswer().toString('base64')], { core, outputFile });
  await waitForPort(port, () => server.assertRunning());
  const messages = [encodeCheckMessage({ ...first, token: await stand.mintToken('alice') })];
  return { name, server, target: { port, messages, expected: 'allow' }, objection: nothing };
}

function nothing(): Promise<undefined> {
  return Promise.resolve(undefined);
}

async function cacheObjection(server: PortcullisProcess): Promise<string | undefined> {
  const hits = /^portcullis_token_cache_requests_total\{result="hit"\} (\d+)$/m.exec(await server.metrics())?.[1];
  return hits === '0' ? undefined : `${hits ?? 'an unknown number of'} tokens were remembered`;
}

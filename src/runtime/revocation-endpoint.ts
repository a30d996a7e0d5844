import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { isJsonObject, ownMember } from '../core/json.ts';
import type { Clock, Logger } from '../core/ports.ts';
import type { Revocation, RevocationControl } from '../core/revocation.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import { readRevocation } from '../policy/revocations/read-revocation.ts';
import { isSameSecret } from '../std/same-secret.ts';
import { parseStrictJsonBytes } from '../std/strict-json.ts';
import { createFailureLimiter, type FailureLimiter } from './failure-limiter.ts';
import type { HttpAnswer } from './http-answer.ts';
import type { JudgeRevocations } from './judge-revocations.ts';
import { mediaTypeOf, readBody } from './read-body.ts';

export interface RevocationEndpointOptions {
  /** Undefined: nobody may revoke here. */
  readonly tokenFile: string | undefined;
  readonly revocations: RevocationControl;
  readonly judge: JudgeRevocations;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Answers GET with counts, and POST, with the admin token, by revoking. */
export type AnswerRevocations = (request: IncomingMessage) => Promise<HttpAnswer>;

const maxBytes = 1_048_576;
const maxEntries = 1000;
const minTokenLength = 16;
const maxFailures = 30;

/**
 * POST /revocations on the admin address: `{"revocations": [...]}`, all of them or none. GET tells how many there are from where, and never what.
 */
export function createRevocationEndpoint(options: RevocationEndpointOptions): AnswerRevocations {
  const limiter = createFailureLimiter(maxFailures, options.clock);
  return async (request) => {
    if (request.method === 'GET' || request.method === 'HEAD') return json(200, options.revocations.status());
    if (request.method !== 'POST')
      return problem(405, 'method_not_allowed', 'the methods are GET and POST', { allow: 'GET, HEAD, POST' });
    return (await objectToCaller(request, options, limiter)) ?? revoke(request, options);
  };
}

/** Why the caller may not; undefined where it may. */
async function objectToCaller(
  request: IncomingMessage,
  { tokenFile, logger }: RevocationEndpointOptions,
  limiter: FailureLimiter,
): Promise<HttpAnswer | undefined> {
  if (tokenFile === undefined)
    return problem(403, 'forbidden', 'no adminTokenFile is configured, so that nobody may revoke here');
  const client = request.socket.remoteAddress ?? '';
  const wait = limiter.mustWait(client);
  if (wait !== undefined)
    return problem(429, 'too_many_failures', 'too many wrong tokens', { 'retry-after': String(wait) });
  const expected = await readToken(tokenFile, logger);
  if (expected === undefined)
    return problem(
      503,
      'token_unreadable',
      'the file of the admin token cannot be read, or holds no token of 16 characters',
    );
  const [, given = ''] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (isSameSecret(given, expected)) return undefined;
  limiter.failed(client);
  return problem(401, 'unauthorized', 'the token of adminTokenFile is needed as Bearer', {
    'www-authenticate': 'Bearer realm="portcullis-admin"',
  });
}

/** Read at each call, so that a token is changed by changing the file. Too short a one is none. */
async function readToken(file: string, logger: Logger): Promise<string | undefined> {
  try {
    const token = (await readFile(file, 'utf8')).trim();
    return token.length >= minTokenLength ? token : undefined;
  } catch (thrown) {
    logger.warn({ file, ...thrownFields(thrown) }, 'the file of the admin token cannot be read');
    return undefined;
  }
}

/** Says at the start what would else be found out in the moment in which somebody has to be shut out. */
export async function warnOfAdminToken(file: string | undefined, logger: Logger): Promise<void> {
  if (file === undefined || (await readToken(file, logger)) !== undefined) return;
  logger.warn(
    { file },
    'the admin token cannot be used: until its file holds one of 16 characters, nobody may revoke here',
  );
}

async function revoke(
  request: IncomingMessage,
  { revocations, judge, logger }: RevocationEndpointOptions,
): Promise<HttpAnswer> {
  if (mediaTypeOf(request) !== 'application/json')
    return problem(415, 'unsupported_media_type', 'the body is application/json');
  const body = await readBody(request, maxBytes);
  if (body === undefined) return problem(413, 'too_large', `the body is longer than ${maxBytes} bytes`);
  const read = readEntries(body);
  if ('wrong' in read) return problem(400, 'invalid_request', read.wrong);
  const { entries } = read;
  const judged = judge(entries);
  if ('wrong' in judged) return problem(400, 'invalid_request', judged.wrong);
  const outcome = await revocations.add('admin', entries);
  switch (outcome.kind) {
    case 'kept':
      logger.info(
        { revocations: entries.length, shared: outcome.isShared },
        'revocations were taken by the admin call',
      );
      return json(200, {
        revoked: entries.length,
        scope: outcome.isShared ? 'shared' : 'local',
        note: noteOf(outcome.isShared, entries),
        until: judged.until.map((seconds) => new Date(seconds * 1000).toISOString()),
        warnings: judged.warnings,
      });
    case 'full':
      return problem(
        507,
        'full',
        'there is no room for all of them (revocationEntries, or the shared store); some may be in force, in this process alone',
      );
    case 'not-shared':
      return problem(
        503,
        'not_shared',
        'not in force everywhere: the shared store, or a worker, did not take them in time; try again',
      );
  }
}

/** Whoever revokes by issuer and has other kinds of providers beside would think that they are meant too. */
function noteOf(isShared: boolean, entries: readonly Revocation[]): string {
  const where = isShared
    ? 'every replica that shares the store has them within a second'
    : 'this process alone: other replicas know nothing of them';
  if (entries.every(({ scope }) => scope.issuer === '')) return where;
  return `${where}; issuer means no credential without one: name API keys, passwords, client certificates, tokens of SharedSecretJWT and ServiceAccount, and of Introspection where the answer has no iss, by provider`;
}

function readEntries(body: Buffer): { readonly entries: readonly Revocation[] } | { readonly wrong: string } {
  const parsed = parseStrictJsonBytes(body);
  if (parsed.kind === 'invalid') return { wrong: `the body is no strict JSON (${parsed.reason})` };
  const list = isJsonObject(parsed.value) ? ownMember(parsed.value, 'revocations') : undefined;
  const isAlone = isJsonObject(parsed.value) && Object.keys(parsed.value).length === 1;
  if (!Array.isArray(list) || !isAlone || list.length === 0 || list.length > maxEntries)
    return { wrong: `the body is {"revocations": [...]} with 1 to ${maxEntries} of them` };
  const entries: Revocation[] = [];
  for (const [index, value] of list.entries()) {
    const read = readRevocation(value);
    if ('wrong' in read) return { wrong: `revocations[${index}]: ${read.wrong}` };
    entries.push(read.value);
  }
  return { entries };
}

function problem(
  status: number,
  error: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return { ...json(status, { error, message }), headers };
}

function json(status: number, value: unknown): HttpAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

import type { IncomingMessage } from 'node:http';
import type { IssuerMessage, Receipt, ReceiptRefusal } from '../core/issuer-message.ts';
import type { Clock, Logger } from '../core/ports.ts';
import { printable } from '../std/printable.ts';
import type { SpecName } from '../policy/spec-name.ts';
import { createFailureLimiter } from './failure-limiter.ts';
import { textAnswer, type HttpAnswer } from './http-answer.ts';
import { mediaTypeOf, readBody } from './read-body.ts';

export interface IssuerEndpointsOptions {
  /** Undefined while the providers are loaded, else why they are not. */
  readonly notReady: () => string | undefined;
  readonly receive: (provider: SpecName, message: IssuerMessage) => Promise<Receipt>;
  /** Told of every event of a message, or of one that was not taken. */
  readonly count: (event: string, result: 'taken' | 'refused' | 'unavailable') => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Answers a delivery of an issuer; undefined where the request is none. */
export type AnswerIssuer = (request: IncomingMessage) => Promise<HttpAnswer> | undefined;

const paths = {
  '/backchannel-logout/': 'logout',
  '/events/': 'events',
} as const satisfies Record<string, IssuerMessage['kind']>;
const providerPath = /^(?:([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/)?([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)$/;

const maxBytes = 65_536;
/** Of one address in a minute. */
const maxFailures = 60;

/**
 * POST /backchannel-logout/PROVIDER (OpenID Connect Back-Channel Logout 1.0 section 2.5) and POST /events/PROVIDER (RFC 8935), where PROVIDER is
 * `namespace/name`, or `name` of a ClusterIdentityProvider. What cannot be kept is answered with 503, so that its sender comes again.
 */
export function createIssuerEndpoints(options: IssuerEndpointsOptions): AnswerIssuer {
  const limiter = createFailureLimiter(maxFailures, options.clock);
  return (request) => {
    const delivery = readPath(request);
    if (delivery === undefined) return undefined;
    return answerDelivery(request, delivery, limiter, options);
  };
}

interface Delivery {
  readonly kind: IssuerMessage['kind'];
  readonly provider: SpecName;
}

function readPath({ url = '' }: IncomingMessage): Delivery | undefined {
  const [path = ''] = url.split('?', 1);
  for (const [prefix, kind] of Object.entries(paths)) {
    const found = path.startsWith(prefix) ? providerPath.exec(path.slice(prefix.length)) : null;
    if (found !== null) return { kind, provider: { namespace: found[1] ?? '', name: found[2] ?? '' } };
  }
  return undefined;
}

async function answerDelivery(
  request: IncomingMessage,
  { kind, provider }: Delivery,
  limiter: ReturnType<typeof createFailureLimiter>,
  { notReady, receive, count, logger }: IssuerEndpointsOptions,
): Promise<HttpAnswer> {
  if (request.method !== 'POST') return textAnswer(405, 'method not allowed', { allow: 'POST' });
  const client = request.socket.remoteAddress ?? '';
  const wait = limiter.mustWait(client);
  if (wait !== undefined) return textAnswer(429, 'too many failures', { 'retry-after': String(wait) });
  const name = provider.namespace === '' ? provider.name : `${provider.namespace}/${provider.name}`;
  const refused = (refusal: ReceiptRefusal): HttpAnswer => {
    const isOurs = refusal.error === 'unavailable';
    if (!isOurs) limiter.failed(client);
    count(kind, isOurs ? 'unavailable' : 'refused');
    logger.warn(
      { provider: name, kind, error: refusal.error, reason: refusal.description },
      'a message of an issuer was not taken',
    );
    return toAnswer(kind, refusal);
  };
  if (notReady() !== undefined)
    return refused({ kind: 'refused', error: 'unavailable', description: 'The providers are not loaded yet.' });
  const read = await readMessage(request, kind);
  if ('error' in read) return refused(read);
  const receipt = await receive(provider, read);
  if (receipt.kind === 'refused') return refused(receipt);
  for (const event of receipt.events) count(event, 'taken');
  const { events, revocations, signals, state } = receipt;
  const said = state === undefined ? {} : { state: printable(state) };
  logger.info(
    { provider: name, kind, events, revocations: revocations.length, signals: signals.length, ...said },
    'a message of an issuer was taken',
  );
  return { status: kind === 'logout' ? 200 : 202, contentType: 'text/plain; charset=utf-8', body: '' };
}

async function readMessage(
  request: IncomingMessage,
  kind: IssuerMessage['kind'],
): Promise<IssuerMessage | ReceiptRefusal> {
  const wrong = (description: string): ReceiptRefusal => ({ kind: 'refused', error: 'invalid_request', description });
  const wanted = kind === 'logout' ? 'application/x-www-form-urlencoded' : 'application/secevent+jwt';
  if (mediaTypeOf(request) !== wanted) return wrong(`The content type is not ${wanted}.`);
  const body = await readBody(request, maxBytes);
  if (body === undefined) return wrong(`The body is longer than ${maxBytes} bytes.`);
  const text = body.toString('latin1').trim();
  const { authorization } = request.headers;
  if (kind === 'events') return { kind, token: text, authorization };
  const [token, ...others] = new URLSearchParams(text).getAll('logout_token');
  if (token === undefined || others.length > 0) return wrong('The form does not have logout_token once.');
  return { kind, token, authorization };
}

/** RFC 8935 2.3, and Back-Channel Logout 2.8 with the names of OAuth 2.0. */
function toAnswer(kind: IssuerMessage['kind'], { error, description }: ReceiptRefusal): HttpAnswer {
  const [status, retry] =
    error === 'unavailable' ? [503, { 'retry-after': '5' }] : [error === 'not_found' ? 404 : 400, {}];
  const code = error === 'not_found' || error === 'unavailable' ? 'invalid_request' : error;
  const said = kind === 'events' ? { err: code, description } : { error: code, error_description: description };
  return {
    status,
    contentType: 'application/json',
    body: `${JSON.stringify(said)}\n`,
    headers: { ...retry, ...(kind === 'events' ? { 'content-language': 'en' } : {}) },
  };
}

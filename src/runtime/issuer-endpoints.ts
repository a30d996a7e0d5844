import type { IncomingMessage } from 'node:http';
import type { IssuerMessage, Receipt, ReceiptRefusal } from '../core/issuer-message.ts';
import type { Clock, Logger, Timers } from '../core/ports.ts';
import { createCallSlots, type CallSlots } from '../std/call-slots.ts';
import { printable } from '../std/printable.ts';
import type { SpecName } from '../policy/spec-name.ts';
import { createFailureLimiter, type FailureLimiter } from './failure-limiter.ts';
import { textAnswer, type HttpAnswer } from './http-answer.ts';
import { mediaTypeOf, readBody } from './read-body.ts';

export interface IssuerEndpointsOptions {
  /** Undefined while the providers are loaded, else why they are not. */
  readonly notReady: () => string | undefined;
  readonly receive: (provider: SpecName, message: IssuerMessage) => Promise<Receipt>;
  /** Told of every event of a message, or of one that was not taken. */
  readonly count: (event: string, result: 'taken' | 'refused' | 'unavailable') => void;
  readonly clock: Clock;
  readonly timers: Timers;
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
/** Deliveries that are judged at once, and that wait for it: each waits with a body of up to `maxBytes`. */
const running = 32;
const waiting = 256;
const waitMs = 5000;
/** Lines of the log about one provider in a minute; the metric counts all. */
const maxLines = 60;

/**
 * POST /backchannel-logout/PROVIDER (OpenID Connect Back-Channel Logout 1.0 section 2.5) and POST /events/PROVIDER (RFC 8935), where PROVIDER is
 * `namespace/name`, or `name` of a ClusterIdentityProvider. What cannot be kept is answered with 503, so that its sender comes again. Behind an
 * ingress all senders have one address, so nobody is held up for what another has failed in: what bounds the work is how many are judged at once.
 */
export function createIssuerEndpoints(options: IssuerEndpointsOptions): AnswerIssuer {
  const bounds: Bounds = {
    slots: createCallSlots({ timers: options.timers, running, waiting }),
    lines: createFailureLimiter(maxLines, options.clock),
  };
  return (request) => {
    const delivery = readPath(request);
    if (delivery === undefined) return undefined;
    return answerDelivery(request, delivery, bounds, options);
  };
}

interface Bounds {
  readonly slots: CallSlots;
  readonly lines: FailureLimiter;
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
  delivery: Delivery,
  { slots, lines }: Bounds,
  options: IssuerEndpointsOptions,
): Promise<HttpAnswer> {
  if (request.method !== 'POST') return textAnswer(405, 'method not allowed', { allow: 'POST' });
  const { kind } = delivery;
  const refused = (refusal: ReceiptRefusal, isJudged = false): HttpAnswer => {
    options.count(kind, refusal.error === 'unavailable' ? 'unavailable' : 'refused');
    sayRefused(delivery, refusal, { lines, logger: options.logger, isJudged });
    return toAnswer(kind, refusal);
  };
  if (options.notReady() !== undefined) return refused(unavailable('The providers are not loaded yet.'));
  const read = await readMessage(request, kind);
  if ('error' in read) return refused(read);
  const release = await slots.take(waitMs);
  if (release === undefined) return refused(unavailable('Too many messages wait to be judged.'));
  let receipt: Receipt;
  try {
    receipt = await options.receive(delivery.provider, read);
  } finally {
    release();
  }
  if (receipt.kind === 'refused') return refused(receipt, true);
  for (const event of receipt.events) options.count(event, 'taken');
  const { events, revocations, signals, state } = receipt;
  const said = state === undefined ? {} : { state: printable(state) };
  options.logger.info(
    { provider: nameOf(delivery), kind, events, revocations: revocations.length, signals: signals.length, ...said },
    'a message of an issuer was taken',
  );
  return { status: kind === 'logout' ? 200 : 202, contentType: 'text/plain; charset=utf-8', body: '' };
}

function unavailable(description: string): ReceiptRefusal {
  return { kind: 'refused', error: 'unavailable', description };
}

function nameOf({ provider: { namespace, name } }: Delivery): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** Anybody may deliver, under any name, and must not fill the log: what no provider has judged has one share of it together. */
function sayRefused(
  delivery: Delivery,
  { error, description }: ReceiptRefusal,
  { lines, logger, isJudged }: { readonly lines: FailureLimiter; readonly logger: Logger; readonly isJudged: boolean },
): void {
  const provider = nameOf(delivery);
  const share = isJudged && error !== 'not_found' ? provider : '';
  if (lines.mustWait(share) !== undefined) return;
  lines.failed(share);
  logger.warn({ provider, kind: delivery.kind, error, reason: description }, 'a message of an issuer was not taken');
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

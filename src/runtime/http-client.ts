import { lookup as systemLookup } from 'node:dns';
import { request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { Failure, messageOf } from '../core/failure.ts';
import type { HttpClient, HttpGetOptions, Timers } from '../core/ports.ts';
import { compileAddressRule, type AddressRule } from './address-rule.ts';

export interface HttpClientOptions {
  readonly allowPrivateAddresses: boolean;
  /** CIDRs of private addresses that are allowed without allowing all. */
  readonly allowedAddresses: readonly string[];
  readonly userAgent: string;
  readonly timers: Timers;
  /** Resolves names; the system's resolver where absent. */
  readonly resolve?: Resolve;
}

/** Answers all addresses of a name. */
export type Resolve = (hostname: string, done: (error: Error | null, addresses: readonly string[]) => void) => void;

/** What a GET can fail with; the code of the Failure. */
export type HttpFailureCode =
  | 'http_url'
  | 'http_address'
  | 'http_ca'
  | 'http_connect'
  | 'http_timeout'
  | 'http_redirect'
  | 'http_status'
  | 'http_encoded'
  | 'http_too_large'
  | 'http_incomplete';

/**
 * The one way out of the service. Every address is judged after resolution, where it is dialled, so that no name and no spelling leads
 * past the rule; no redirect is followed, no encoding is undone, no connection and no proxy of the environment is used again.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const rule = compileAddressRule(options);
  const resolve = options.resolve ?? resolveWithSystem;
  return {
    async get(url, limits) {
      const target = judgeUrl(url, rule);
      // Node takes an empty text for "trust what the system trusts".
      if (limits.ca?.includes('-----BEGIN CERTIFICATE-----') === false) {
        throw fail('http_ca', `GET ${nameOf(target)}: the certificates to trust are not PEM`);
      }
      const open = (): ClientRequest =>
        (target.protocol === 'https:' ? httpsRequest : httpRequest)(target, {
          ...requestOptions(target, options.userAgent, limits),
          lookup: guardedLookup(resolve, rule, target.protocol === 'https:' ? 'https:' : 'http:'),
        });
      try {
        return await exchange(open, limits, options.timers);
      } catch (error) {
        throw toFailure(error, target);
      }
    },
  };
}

/** Only http and https, without a user; an address in place of a name is judged here, because Node dials it without a look-up. */
function judgeUrl(text: string, rule: AddressRule): URL {
  const url = URL.parse(text);
  if (
    url === null ||
    (url.protocol !== 'https:' && url.protocol !== 'http:') ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw fail('http_url', 'the address to fetch is not an http or https URL without a user');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const refused = isIP(host) === 0 ? undefined : rule.refuse(host, url.protocol);
  if (refused !== undefined) throw fail('http_address', `GET ${nameOf(url)}: the address ${host} ${refused}`);
  return url;
}

function requestOptions(url: URL, userAgent: string, limits: HttpGetOptions): RequestOptions & { ca?: string } {
  return {
    method: 'GET',
    agent: false,
    headers: {
      accept: 'application/json',
      'accept-encoding': 'identity',
      connection: 'close',
      'user-agent': userAgent,
    },
    ...(url.protocol === 'https:' ? { rejectUnauthorized: true, minVersion: 'TLSv1.2' } : {}),
    ...(limits.ca === undefined ? {} : { ca: limits.ca }),
  };
}

/** A resolver for node:net that gives out only addresses that may be dialled. */
function guardedLookup(resolve: Resolve, rule: AddressRule, protocol: 'http:' | 'https:'): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const judged = addresses.map((address) => ({ address, refused: rule.refuse(address, protocol) }));
      const open = judged.flatMap(({ address, refused }) =>
        refused === undefined ? [{ address, family: isIP(address) }] : [],
      );
      const [first] = open;
      if (first === undefined) {
        const [one] = judged;
        const why = one === undefined ? 'the name has no address' : `its address ${one.address} ${one.refused ?? ''}`;
        return callback(fail('http_address', why), '');
      }
      if (options.all === true) callback(null, open);
      else callback(null, first.address, first.family);
    });
  };
}

const resolveWithSystem: Resolve = (hostname, done) => {
  systemLookup(hostname, { all: true }, (error, addresses) => {
    done(error, error === null ? addresses.map(({ address }) => address) : []);
  });
};

/** One request and its whole answer, within the time and size allowed. */
function exchange(open: () => ClientRequest, limits: HttpGetOptions, timers: Timers): Promise<Uint8Array> {
  return new Promise((settle, reject) => {
    const request = open();
    const end = (error: unknown): void => {
      cancel();
      reject(error instanceof Error ? error : new Error(messageOf(error)));
      request.destroy();
    };
    // Rejects by itself: a request whose connection is gone already would not tell of its destruction.
    const cancel = timers.after(limits.timeoutMs, () => {
      end(fail('http_timeout', `no complete answer within ${Math.ceil(limits.timeoutMs)} ms`));
    });
    // Without a listener node:http closes the connection of a 101 and says nothing.
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      end(fail('http_status', `status ${response.statusCode ?? 0}`));
    });
    request.on('error', end);
    request.on('response', (response) => {
      const refused = judgeResponse(response, limits.maxBytes);
      if (refused !== undefined) {
        response.resume();
        end(refused);
        return;
      }
      readBody(response, limits.maxBytes, end, (bytes) => {
        cancel();
        settle(bytes);
      });
    });
    request.end();
  });
}

/** Judges the head of an answer: 200, of bearable size, as it is. */
function judgeResponse(response: IncomingMessage, maxBytes: number): Failure | undefined {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400) return fail('http_redirect', `redirected (${status}), which is not followed`);
  if (status !== 200) return fail('http_status', `status ${status}`);
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity')
    return fail('http_encoded', 'the answer is compressed though none was asked for');
  const length = Number(response.headers['content-length'] ?? 0);
  return length > maxBytes ? tooLarge(maxBytes) : undefined;
}

function readBody(
  response: IncomingMessage,
  maxBytes: number,
  abort: (error: unknown) => void,
  done: (bytes: Uint8Array) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) abort(tooLarge(maxBytes));
    else chunks.push(chunk);
  });
  response.on('error', abort);
  response.on('close', () => {
    if (response.complete) done(Buffer.concat(chunks));
    else abort(fail('http_incomplete', 'the answer ended before it was complete'));
  });
}

function tooLarge(maxBytes: number): Failure {
  return fail('http_too_large', `the answer is larger than ${maxBytes} bytes`);
}

function fail(code: HttpFailureCode, message: string): Failure {
  return new Failure(code, message);
}

/** Every Failure names the URL, without its query, which may hold a secret. */
function toFailure(error: unknown, url: URL): Failure {
  const code = error instanceof Failure ? error.code : 'http_connect';
  return new Failure(code, `GET ${nameOf(url)}: ${messageOf(error)}`, { cause: error });
}

function nameOf(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

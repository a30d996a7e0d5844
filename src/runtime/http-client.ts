import { lookup as systemLookup } from 'node:dns';
import type { Agent, ClientRequest, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { Failure, messageOf } from '../core/failure.ts';
import type { HttpClient, HttpLimits, HttpRequest, Timers } from '../core/ports.ts';
import { compileAddressRule, type AddressRule } from './address-rule.ts';
import { exchange, httpFailure, judgeSuccess } from './http-exchange.ts';
import { Agent as HttpAgent, request as httpRequest } from './node-http.ts';

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

/** How long a connection is kept that nobody uses, and how many of one place. */
const keptMs = 15_000;
const keptConnections = 8;

/**
 * The one way out of the service. Every address is judged after resolution, where it is dialled, so that no name and no spelling leads
 * past the rule; no redirect is followed, no encoding is undone, no proxy of the environment is asked. Connections of `get` are used
 * once; those of `send` are kept a short while, for the same place and the same trust alone, and do not keep the process alive.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const rule = compileAddressRule(options);
  const resolve = options.resolve ?? resolveWithSystem;
  const kept = { keepAlive: true, timeout: keptMs, maxFreeSockets: keptConnections };
  const agents: Record<Protocol, Agent> = { 'http:': new HttpAgent(kept), 'https:': new HttpsAgent(kept) };
  const opener = (url: URL, { method, headers, agent }: Opening, limits: HttpLimits): (() => ClientRequest) => {
    const protocol = protocolOf(url);
    return () =>
      (protocol === 'https:' ? httpsRequest : httpRequest)(url, {
        method,
        agent,
        headers: { ...headers, 'accept-encoding': 'identity', 'user-agent': options.userAgent },
        ...trustOptions(protocol, limits),
        lookup: guardedLookup(resolve, rule, protocol),
      });
  };
  return {
    async get(url, limits) {
      const target = judgeTarget('GET', url, rule, limits);
      try {
        const open = opener(target, getOptions, limits);
        const { body } = await exchange({ open, body: undefined, judge: judgeSuccess }, limits, options.timers);
        return body;
      } catch (error) {
        throw toFailure(error, 'GET', target);
      }
    },
    async send(url, request, limits) {
      const target = judgeTarget(request.method, url, rule, limits);
      try {
        const open = opener(target, sendOptions(request, agents[protocolOf(target)]), limits);
        return await exchange({ open, body: request.body, judge: () => undefined }, limits, options.timers);
      } catch (error) {
        throw toFailure(error, request.method, target);
      }
    },
  };
}

type Protocol = 'http:' | 'https:';

interface Opening {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** False: a connection of its own. */
  readonly agent: Agent | false;
}

function protocolOf(url: URL): Protocol {
  return url.protocol === 'https:' ? 'https:' : 'http:';
}

function judgeTarget(method: string, url: string, rule: AddressRule, limits: HttpLimits): URL {
  const target = judgeUrl(method, url, rule);
  // Node takes an empty text for "trust what the system trusts".
  if (limits.ca?.includes('-----BEGIN CERTIFICATE-----') === false) {
    throw httpFailure('http_ca', `${method} ${nameOf(target)}: the certificates to trust are not PEM`);
  }
  return target;
}

/** Only http and https, without a user; an address in place of a name is judged here, because Node dials it without a look-up. */
function judgeUrl(method: string, text: string, rule: AddressRule): URL {
  const url = URL.parse(text);
  if (
    url === null ||
    (url.protocol !== 'https:' && url.protocol !== 'http:') ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw httpFailure('http_url', 'the address to ask is not an http or https URL without a user');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const refused = isIP(host) === 0 ? undefined : rule.refuse(host, url.protocol);
  if (refused !== undefined)
    throw httpFailure('http_address', `${method} ${nameOf(url)}: the address ${host} ${refused}`);
  return url;
}

const getOptions: Opening = {
  method: 'GET',
  agent: false,
  headers: { accept: 'application/json', connection: 'close' },
};

function sendOptions({ method, headers, body }: HttpRequest, agent: Agent): Opening {
  return { method, agent, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) } };
}

function trustOptions(protocol: Protocol, { ca }: HttpLimits): RequestOptions & { readonly ca?: string } {
  return {
    ...(protocol === 'https:' ? { rejectUnauthorized: true, minVersion: 'TLSv1.2' } : {}),
    ...(ca === undefined ? {} : { ca }),
  };
}

/** A resolver for node:net that gives out only addresses that may be dialled. */
function guardedLookup(resolve: Resolve, rule: AddressRule, protocol: Protocol): LookupFunction {
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
        return callback(httpFailure('http_address', why), '');
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

/** Every Failure names the URL, without its query, which may hold a secret. */
function toFailure(error: unknown, method: string, url: URL): Failure {
  const code = error instanceof Failure ? error.code : 'http_connect';
  return new Failure(code, `${method} ${nameOf(url)}: ${messageOf(error)}`, { cause: error });
}

function nameOf(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

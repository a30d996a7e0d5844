import { denial, type Denial } from '../core/decision.ts';
import type { RawRequest, Request } from '../core/request.ts';
import { clientAddress, directAddress } from './client-address.ts';
import { readHeaders } from './headers.ts';
import { canonicalizeHost } from './host.ts';
import { canonicalizePath } from './path.ts';
import { readForwardedCertificate } from './forwarded-certificate.ts';
import type { AddressSet } from '../std/ip.ts';
import { readQuery } from './query.ts';

export interface ReadingSettings {
  /** How many proxies before ours are trusted to say who the client is. */
  readonly trustedHops: number;
  /** Header fields beyond which a request is refused. */
  readonly maxHeaders: number;
  /** Direct peers that are believed about the certificates of their clients; absent: none. */
  readonly mayForwardCertificates?: AddressSet | undefined;
}

/** Header fields of which a second one is refused whatever the policies say (S29). */
const single: readonly string[] = ['authorization', 'proxy-authorization', 'host'];

/** The one reading of a request. Everything after it, matching, expressions and logs included, uses only what this returns. */
export function readRequest(raw: RawRequest, settings: ReadingSettings): Request | Denial {
  if (raw.kind === 'other') return denial('request_not_http');
  if (raw.headers.length > settings.maxHeaders) return denial('request_too_large');
  const mark = raw.target.indexOf('?');
  const rawPath = mark < 0 ? raw.target : raw.target.slice(0, mark);
  const path = canonicalizePath(rawPath);
  if (path.kind === 'refusal') return denial('path_not_canonical', `The path is refused: ${path.why}.`);
  const host = canonicalizeHost(raw.host);
  if (host.kind === 'refusal') return denial('host_not_canonical', `The host is refused: ${host.why}.`);
  const headers = readHeaders(raw.headers);
  const twice = single.find((name) => headers.count(name) > 1);
  if (twice !== undefined) return denial('header_duplicated', `The header ${twice} is there twice.`);
  const rawQuery = mark < 0 ? '' : raw.target.slice(mark + 1);
  const peerAddress = directAddress(raw);
  return {
    method: raw.method,
    path: path.path,
    pathWithoutParameters: path.withoutParameters,
    rawPath,
    rawQuery,
    query: readQuery(rawQuery),
    encodedReserved: path.encodedReserved,
    host: host.host,
    port: host.port,
    scheme: raw.scheme,
    protocol: raw.protocol,
    headers,
    connection: {
      peerAddress,
      principal: raw.peerPrincipal || undefined,
      certificate: raw.peerCertificate || undefined,
      forwarded: readForwardedCertificate(headers, peerAddress, settings.mayForwardCertificates),
    },
    clientIp: clientAddress(peerAddress, headers, settings.trustedHops),
    contextExtensions: raw.contextExtensions,
    route: raw.route,
  };
}

/** True where a reading ended as a Denial. */
export function isDenial(reading: Request | Denial): reading is Denial {
  return 'code' in reading;
}

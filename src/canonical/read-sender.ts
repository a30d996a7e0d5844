import type { RawRequest, RequestSender } from '../core/request.ts';
import { clientAddress, directAddress } from './client-address.ts';
import { readHeaders } from './headers.ts';
import { canonicalizeHost } from './host.ts';
import type { ReadingSettings } from './read-request.ts';

/** Who sent a request that is refused as it is read, for logs alone; undefined where it is none. */
export function readSender(raw: RawRequest, { trustedHops }: ReadingSettings): RequestSender | undefined {
  if (raw.kind === 'other') return undefined;
  const host = canonicalizeHost(raw.host);
  return {
    method: raw.method,
    host: host.kind === 'refusal' ? undefined : host.host,
    clientIp: clientAddress(directAddress(raw), readHeaders(raw.headers), trustedHops),
  };
}

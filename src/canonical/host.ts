import { canonicalIp } from '../std/ip.ts';

/** The one reading of `:authority` or Host: lower case, without port and trailing dot. */
export interface CanonicalHost {
  readonly kind: 'host';
  /** `api.example.com`, `10.0.0.1` or `[2001:db8::1]`. */
  readonly host: string;
  readonly port: number | undefined;
}

export interface HostRefusal {
  readonly kind: 'refusal';
  readonly why: string;
}

const shape = /^(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z._-]+)(?::([0-9]{1,5}))?$/;

/** Refuses an empty host, a list, a user, an empty label, escapes and whatever is no host with an optional port (RFC 9110 7.2). */
export function canonicalizeHost(raw: string): CanonicalHost | HostRefusal {
  const parts = shape.exec(raw);
  if (parts === null)
    return { kind: 'refusal', why: raw === '' ? 'it is empty' : 'it is not one host with an optional port' };
  const [, written = '', digits] = parts;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && port > 65_535) return { kind: 'refusal', why: 'its port is above 65535' };
  if (written.startsWith('[')) {
    const address = canonicalIp(written.slice(1, -1));
    if (address === undefined) return { kind: 'refusal', why: 'it is not an IPv6 address' };
    return { kind: 'host', host: address.includes(':') ? `[${address}]` : address, port };
  }
  const host = (written.endsWith('.') ? written.slice(0, -1) : written).toLowerCase();
  if (host === '' || host.startsWith('.') || host.endsWith('.') || host.includes('..') || host.length > 253) {
    return { kind: 'refusal', why: 'it has an empty label or is too long' };
  }
  return { kind: 'host', host, port };
}

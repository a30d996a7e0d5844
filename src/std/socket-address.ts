import { isIPv6 } from 'node:net';

/** Where a server listens. */
export type SocketAddress =
  /** `host` is a name or an address, IPv6 without brackets; `port` 0 asks for any free one. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Reads `host:port` (an IPv6 host in brackets) or `unix:PATH`; undefined where it is neither. */
export function parseSocketAddress(text: string): SocketAddress | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    return path === '' || path.includes('\0') ? undefined : { kind: 'unix', path };
  }
  const colon = text.lastIndexOf(':');
  const port = text.slice(colon + 1);
  if (colon < 1 || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) return undefined;
  const host = bareHost(text.slice(0, colon));
  return host === undefined ? undefined : { kind: 'tcp', host, port: Number(port) };
}

function bareHost(host: string): string | undefined {
  if (host.startsWith('[') && host.endsWith(']')) {
    const inner = host.slice(1, -1);
    return isIPv6(inner) ? inner : undefined;
  }
  return /^[A-Za-z0-9._-]+$/.test(host) ? host : undefined;
}

/** The text that `parseSocketAddress` reads. */
export function formatSocketAddress(address: SocketAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

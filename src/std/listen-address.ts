import { isIP } from 'node:net';

/** Where a server listens. */
export type ListenAddress = TcpAddress | { readonly kind: 'unix'; readonly path: string };

export interface TcpAddress {
  readonly kind: 'tcp';
  /** An address without brackets, or a name such as `localhost`. */
  readonly host: string;
  /** 0: whichever is free. */
  readonly port: number;
}

const tcpShape = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z.-]+)):(0|[1-9][0-9]{0,4})$/;

/** Reads `0.0.0.0:9001`, `[::]:9001`, `localhost:9001` or `unix:PATH`; undefined for anything else, a missing host or port included. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (!text.startsWith('unix:')) return parseTcpAddress(text);
  const path = text.slice('unix:'.length);
  return path === '' || path.includes('\0') ? undefined : { kind: 'unix', path };
}

/** `parseListenAddress` without unix sockets. */
export function parseTcpAddress(text: string): TcpAddress | undefined {
  const [, six, name, port] = tcpShape.exec(text) ?? [];
  const host = six ?? name;
  if (host === undefined || port === undefined || Number(port) > 65_535) return undefined;
  if (six !== undefined && isIP(six) !== 6) return undefined;
  // Digits and dots alone can only be an IPv4 address; `0.0.0` or `1.2.3.400` would go to a name server.
  if (name !== undefined && /^[0-9.]+$/.test(name) && isIP(name) !== 4) return undefined;
  return { kind: 'tcp', host, port: Number(port) };
}

/** The text that `parseListenAddress` reads back. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

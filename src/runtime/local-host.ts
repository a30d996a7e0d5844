import { canonicalizeHost } from '../canonical/host.ts';
import { canonicalIp } from '../std/ip.ts';

/**
 * True where the Host header of a request is a loopback name or a literal address: such a page was not opened under a name that someone else's
 * name server could point at us (DNS rebinding).
 */
export function isLocalHost(header: string | undefined): boolean {
  const read = canonicalizeHost(header ?? '');
  if (read.kind !== 'host') return false;
  const { host } = read;
  return host === 'localhost' || host.endsWith('.localhost') || host.startsWith('[') || canonicalIp(host) !== undefined;
}

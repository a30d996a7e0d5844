import { canonicalizeHost } from '../../../canonical/host.ts';
import { canonicalizePath } from '../../../canonical/path.ts';
import type { Request } from '../../../core/request.ts';

/** Scheme, authority and path of an absolute http URI (RFC 3986 appendix B); the query and the fragment behind them do not count. */
const shape = /^(https?):\/\/([^/?#]*)([^?#]*)/i;

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443 };

/**
 * True where `htu` names the target of the request (RFC 9449 4.3, check 9), both in their canonical form (RFC 3986 6.2.2 and 6.2.3) and
 * without query and fragment. `https` is always right, because the proxy before ours may have ended the TLS of the client; `http` only
 * where the proxy saw http. A port that is the default of the scheme may be left out on either side.
 */
export function isTargetOf(htu: string, request: Request): boolean {
  const [, writtenScheme = '', authority = '', path = ''] = shape.exec(htu) ?? [];
  const scheme = writtenScheme.toLowerCase();
  const defaultPort = defaultPorts[scheme];
  if (defaultPort === undefined || (scheme === 'http' && request.scheme.toLowerCase() !== 'http')) return false;
  const host = canonicalizeHost(authority);
  if (host.kind === 'refusal' || host.host !== request.host) return false;
  if ((host.port ?? defaultPort) !== (request.port ?? defaultPort)) return false;
  const canonical = canonicalizePath(path === '' ? '/' : path);
  return canonical.kind === 'path' && canonical.path === request.path;
}

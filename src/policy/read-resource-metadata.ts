import { canonicalizeHost } from '../canonical/host.ts';
import { canonicalizePath } from '../canonical/path.ts';
import type { ResourceMetadataShape } from './document-shape.ts';
import { quote, type FieldPath, type ProblemList } from './problem-list.ts';
import { isHttpUrl } from './providers/http-url.ts';
import { widerPatterns } from './read-host.ts';
import type { ResourceMetadataSpec } from './spec.ts';

/** RFC 9728 section 3: it stands between the host and the path of the resource. */
export const wellKnownPath = '/.well-known/oauth-protected-resource';

const at: FieldPath = ['spec', 'authentication', 'resourceMetadata'];

/**
 * Reads `resourceMetadata` (RFC 9728) of a policy with these hosts, which are empty where it is attached otherwise. Undefined where an error
 * makes it unusable.
 */
export function readResourceMetadata(
  shape: ResourceMetadataShape,
  hosts: readonly string[],
  problems: ProblemList,
): ResourceMetadataSpec | undefined {
  const { resource, authorizationServers, scopes = [], documentation } = shape;
  const location = readResource(resource);
  if ('why' in location) problems.error('invalid-value', [...at, 'resource'], `${quote(resource)}: ${location.why}`);
  for (const [index, server] of (authorizationServers ?? []).entries()) {
    if (!isHttpUrl(server) || server.includes('?'))
      problems.error(
        'invalid-value',
        [...at, 'authorizationServers', index],
        `${quote(server)} is no issuer: an http or https URL without query and fragment`,
      );
  }
  if (documentation !== undefined && !isHttpUrl(documentation))
    problems.error('invalid-value', [...at, 'documentation'], `${quote(documentation)} is no http or https URL`);
  for (const [index, scope] of scopes.entries()) {
    // RFC 6749 3.3
    if (!/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))
      problems.error('invalid-value', [...at, 'scopes', index], `${quote(scope)} is no scope`);
  }
  if ('why' in location) return undefined;
  const covering = new Set([location.host, ...widerPatterns(location.host)]);
  if (hosts.length > 0 && !hosts.some((host) => covering.has(host)))
    problems.error(
      'invalid-value',
      [...at, 'resource'],
      `${location.host} is none of the hosts of the policy: nobody would find the metadata`,
    );
  return { resource, ...location, authorizationServers, scopes, documentation };
}

type Location = Pick<ResourceMetadataSpec, 'host' | 'path' | 'url'>;

/** Where the metadata of a resource are: RFC 9728 3.1. */
function readResource(resource: string): Location | { readonly why: string } {
  const [, authority = '', path = '', rest = ''] = /^https:\/\/([^/?#]+)([^?#]*)(.*)$/.exec(resource) ?? [];
  if (authority === '') return { why: 'a resource is an https URL' };
  if (rest !== '') return { why: 'a resource has no query and no fragment here' };
  const host = canonicalizeHost(authority);
  if (host.kind === 'refusal') return { why: `its host is refused: ${host.why}` };
  const canonical = path === '' ? undefined : canonicalizePath(path);
  if (canonical?.kind === 'refusal') return { why: `its path is refused: ${canonical.why}` };
  if (canonical !== undefined && (canonical.path !== path || canonical.encodedReserved.length > 0))
    return { why: 'its path is not in its canonical form' };
  const own = `${wellKnownPath}${path === '/' ? '' : path}`;
  return { host: host.host, path: own, url: `https://${authority}${own}` };
}

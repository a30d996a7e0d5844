/**
 * The methods that a rule can name: RFC 9110 9, PATCH (RFC 5789), WebDAV and its kin as registered with IANA.
 * A method that is not here, lower case included, matches no rule (S12).
 */
export const knownMethods: ReadonlySet<string> = new Set([
  'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY',
  'ACL', 'BASELINE-CONTROL', 'BIND', 'CHECKIN', 'CHECKOUT', 'COPY', 'LABEL', 'LINK', 'LOCK', 'MERGE', 'MKACTIVITY',
  'MKCALENDAR', 'MKCOL', 'MKREDIRECTREF', 'MKWORKSPACE', 'MOVE', 'ORDERPATCH', 'PROPFIND', 'PROPPATCH', 'REBIND',
  'REPORT', 'SEARCH', 'UNBIND', 'UNCHECKOUT', 'UNLINK', 'UNLOCK', 'UPDATE', 'UPDATEREDIRECTREF', 'VERSION-CONTROL',
]); // prettier-ignore

/** True where a rule without `methods` matches the method: every known one but CONNECT and TRACE. */
export function isMatchedWithoutMention(method: string): boolean {
  return method !== 'CONNECT' && method !== 'TRACE' && knownMethods.has(method);
}

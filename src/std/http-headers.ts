const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Hop-by-hop and framing fields (RFC 9110 7.6.1, RFC 9112 6) and those whose change would make another request of it, or another outcome:
 * for a gRPC client `grpc-status: 0` makes a success of a denial.
 */
const protocolOwned: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'grpc-encoding',
  'grpc-message',
  'grpc-status',
  'grpc-status-details-bin',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** True for a field name by RFC 9110 5.1 (a token). Pseudo headers (`:path`) are none. */
export function isHeaderName(name: string): boolean {
  return token.test(name);
}

/** True for names that belong to the protocol or the proxy: pseudo, hop-by-hop and framing fields, `host` and `x-envoy-*`. */
export function isProtocolHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return lower.startsWith(':') || lower.startsWith('x-envoy-') || protocolOwned.has(lower);
}

/** Envoy's API takes no longer names and values, bytes of UTF-8. */
export const maxHeaderBytes = 16_384;

/** True where the text may stand in a field value: no control character, tab and C1 included, no space at either end, at most 16 KiB. */
export function isHeaderValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) return false;
  }
  if (value.length * 3 > maxHeaderBytes && Buffer.byteLength(value, 'utf8') > maxHeaderBytes) return false;
  return value.isWellFormed() && !value.startsWith(' ') && !value.endsWith(' ');
}

/** The name as a CGI-like upstream sees it, where `-` and `_` are one: two names of one form are twins. */
export function twinForm(name: string): string {
  return name.replaceAll('_', '-');
}

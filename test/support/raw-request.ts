import type { RawRequest, RequestRoute } from '../../src/core/request.ts';
import { rawHeaders } from '../../src/canonical/raw-headers.ts';

export interface RawRequestParts {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly peer?: string | undefined;
  /** As Envoy says whom the client's certificate names. */
  readonly principal?: string;
  /** The client's certificate, as PEM encoded for a URL. */
  readonly certificate?: string;
  readonly token?: string | undefined;
  readonly contextExtensions?: Readonly<Record<string, string>>;
  readonly route?: RequestRoute | undefined;
}

/** A request as a proxy on this machine would describe it. */
export function rawRequest(parts: RawRequestParts): RawRequest {
  const { method = 'GET', host = 'api.example.com', path = '/', headers = [], token, contextExtensions = {} } = parts;
  const sent = token === undefined ? headers : [['authorization', `Bearer ${token}`] as const, ...headers];
  return {
    kind: 'http',
    method,
    target: path,
    host,
    scheme: 'http',
    protocol: 'HTTP/1.1',
    headers: rawHeaders(sent.map(([name, value]) => ({ name, value, isText: true }))),
    duplicates: 'separate',
    peerAddress: 'peer' in parts ? parts.peer : '127.0.0.1',
    peerPrincipal: parts.principal ?? '',
    peerCertificate: parts.certificate ?? '',
    contextExtensions: new Map(Object.entries(contextExtensions)),
    route: parts.route,
  };
}

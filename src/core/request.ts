/**
 * One HTTP request as a proxy describes it, before anything has been read from it. Nothing here is normalised or trusted;
 * `canonical/read-request.ts` is the only reader.
 */
export interface RawRequest {
  /** `http` for an HTTP request; `other` for a check without an HTTP part (Envoy's network filter), which is always denied. */
  readonly kind: 'http' | 'other';
  readonly method: string;
  /** The request target as received: path and query, nothing decoded (Envoy `HttpRequest.path`). */
  readonly target: string;
  /** `:authority` or Host, verbatim. */
  readonly host: string;
  /** Not proof of TLS: an HTTP/2 client may claim `https` over cleartext. */
  readonly scheme: string;
  /** `HTTP/1.1`, `HTTP/2`, … */
  readonly protocol: string;
  readonly headers: RawHeaders;
  /**
   * `separate` where the proxy sent every duplicate as its own entry (Envoy `header_map`),
   * `joined` where it joined them with a comma (Envoy `headers`).
   */
  readonly duplicates: 'separate' | 'joined';
  /** The address of the direct peer of the proxy's listener, without port; undefined where it has none (a unix socket). */
  readonly peerAddress: string | undefined;
  /**
   * Whom the certificate names that the client presented to the proxy's listener: its first URI, else its first DNS name, else its subject
   * (Envoy `Peer.principal`). Nothing says that the proxy validated it; empty where there is none.
   */
  readonly peerPrincipal: string;
  /** The certificate itself: URL-encoded PEM (Envoy `Peer.certificate`), empty where the proxy sends none. */
  readonly peerCertificate: string;
  /** Per-route strings that the proxy's configuration sets and no client can (Envoy `context_extensions`). */
  readonly contextExtensions: ReadonlyMap<string, string>;
  /** Undefined where the proxy does not say which route it chose. */
  readonly route: RequestRoute | undefined;
}

/** What is known of a request that could not be read as a whole. Of what makes it unreadable, its path, nothing is kept. */
export interface RequestSender {
  /** As received. */
  readonly method: string;
  /** Undefined where it is no host. */
  readonly host: string | undefined;
  /** As `Request.clientIp`. */
  readonly clientIp: string | undefined;
}

/** The route of the Gateway API that the proxy chose: metadata of the route itself, which no client and no filter can write. */
export interface RequestRoute {
  /** `HTTPRoute` or `GRPCRoute`. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The name of the rule; empty where it has none. */
  readonly section: string;
  readonly annotations: ReadonlyMap<string, string>;
}

/**
 * The header fields in the order received, names in lower case, one field a value where the proxy keeps duplicates apart. Of a field nothing is
 * made but what is asked for: most of what a browser sends no policy ever looks at.
 */
export interface RawHeaders extends Iterable<RawHeader> {
  readonly length: number;
  /** The place of the first field of that name at `from` or behind; -1 where there is none. */
  find(name: string, from: number): number;
  /** The value of the field at a place that `find` gave. */
  valueAt(place: number): string;
  isTextAt(place: number): boolean;
  /** The names with an underscore, which some upstreams take for another name; one that came twice may be there twice. */
  readonly underscored: readonly string[];
  /** True once nobody waits for the decision any more: no field is found from then on. Absent: never. */
  readonly isLetGo?: boolean;
}

export interface RawHeader {
  readonly name: string;
  readonly value: string;
  /** False where the bytes received were not UTF-8, so that `value` is not what the upstream sees. */
  readonly isText: boolean;
}

/** One request after its one reading: what matching, expressions, logs and phases all use. Immutable. */
export interface Request {
  /** Upper case as received; never changed. */
  readonly method: string;
  /** Canonical path without query (docs/semantics.md S11), path parameters still in it. */
  readonly path: string;
  /** The canonical path with `;…` taken off each segment; equal to `path` where there was none. */
  readonly pathWithoutParameters: string;
  /** The path as received, without query. */
  readonly rawPath: string;
  /** The query as received, without `?`; empty where there is none. */
  readonly rawQuery: string;
  readonly query: Query;
  /** Encoded octets in the path that pass only where a policy's `paths.allowEncoded` lists them: `%2F`, `%23`, `%25`, `%3F`. */
  readonly encodedReserved: readonly string[];
  /** Lower case, without port and trailing dot; IPv6 literals in brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly scheme: string;
  readonly protocol: string;
  readonly headers: Headers;
  /** What the proxy says of the connection that the request came on. */
  readonly connection: Connection;
  /** The client's address, IPv4-mapped IPv6 as IPv4; undefined where it is not known, and then every address test fails (S31). */
  readonly clientIp: string | undefined;
  readonly contextExtensions: ReadonlyMap<string, string>;
  readonly route: RequestRoute | undefined;
}

/** The connection between the proxy's listener and its direct peer, which may be another proxy. */
export interface Connection {
  /** The address of the direct peer, IPv4-mapped IPv6 as IPv4; undefined where it has none (a unix socket). */
  readonly peerAddress: string | undefined;
  /** As in RawRequest; undefined where there is none. */
  readonly principal: string | undefined;
  /** URL-encoded PEM, as the proxy sends it; undefined where it sends none. */
  readonly certificate: string | undefined;
  /** What the direct peer says of the certificate of the client before it (x-forwarded-client-cert); undefined where it says nothing and need not. */
  readonly forwarded: ForwardedCertificate | undefined;
}

export type ForwardedCertificate =
  /** The direct peer may say who its client is, and says nothing: the client showed no certificate. */
  | { readonly kind: 'absent' }
  /** The header comes from somebody who is not believed, or cannot be read. */
  | { readonly kind: 'refused'; readonly why: 'not-trusted' | 'malformed' }
  | {
      readonly kind: 'found';
      /** The SHA-256 of the certificate, in lower-case hex. */
      readonly hash: string;
      /** URL-encoded PEM; undefined where the peer does not pass it on. */
      readonly certificate: string | undefined;
    };

/** Header fields by lower-case name. Pseudo headers are not among them. */
export interface Headers {
  /** The value, duplicates joined with `,` in the order received; undefined where absent. */
  get(name: string): string | undefined;
  /** How many field lines of that name the proxy showed; 1 where it joined them itself. */
  count(name: string): number;
  /** False where the bytes of the field were not UTF-8. */
  isText(name: string): boolean;
  names(): Iterable<string>;
  /** Those of the names that have an underscore; one may be there twice. */
  readonly underscored: readonly string[];
  /** As in RawHeaders. */
  readonly isLetGo?: boolean;
}

/** The query's parameters: names and values percent-decoded once, `+` as space, every value kept. */
export interface Query {
  getAll(name: string): readonly string[];
  /** True where the name occurs in a spelling other than its own plain one (`access%5Ftoken`). */
  hasEncodedSpelling(name: string): boolean;
  names(): Iterable<string>;
}

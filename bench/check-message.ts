import { codecOf } from '../src/envoy/protos.ts';

export interface MessageOptions {
  readonly host: string;
  readonly path: string;
  /** The bearer token; undefined: no Authorization header. */
  readonly token: string | undefined;
  /** The certificate of the client, PEM; undefined: it showed none. */
  readonly certificate?: string | undefined;
  /** In a header of its own, instead of a token. */
  readonly apiKey?: string;
  /** The DPoP proof that it comes with; absent: it is a bearer token. */
  readonly proof?: string;
  /** The whole Authorization header, in the place of a token. */
  readonly authorization?: string;
}

/** What a browser sends through a proxy at the edge, 25 with `authorization`; in its place one more of a client's own. */
export const usualHeaders = {
  accept: 'application/json, text/plain, */*',
  'accept-encoding': 'gzip, deflate, br, zstd',
  'accept-language': 'en-GB,en;q=0.9,de;q=0.8',
  'cache-control': 'no-cache',
  cookie: '_ga=GA1.2.1871230123.1763689200; consent=yes; theme=dark; _gid=GA1.2.991230123.1763689200',
  dnt: '1',
  origin: 'https://app.shop.example.com',
  pragma: 'no-cache',
  priority: 'u=1, i',
  referer: 'https://app.shop.example.com/orders/8123/items?page=2',
  'sec-ch-ua': '"Chromium";v="141", "Not?A_Brand";v="24"',
  'sec-ch-ua-mobile': '?0',
  'sec-ch-ua-platform': '"Linux"',
  'sec-fetch-dest': 'empty',
  'sec-fetch-mode': 'cors',
  'sec-fetch-site': 'same-site',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'x-b3-sampled': '1',
  'x-client-version': '2026.11.3',
  'x-envoy-external-address': '203.0.113.77',
  'x-forwarded-for': '203.0.113.77',
  'x-forwarded-proto': 'https',
  'x-request-id': '2d7d3c1f-9a51-4b0b-8a3b-6a5d8d1f0c11',
} as const;

/** A CheckRequest as Envoy sends it, with its gRPC prefix: 25 header fields beside the pseudo headers. */
export function encodeCheckMessage(options: MessageOptions): Buffer {
  const { host, path, certificate } = options;
  const own = ownHeaders(options);
  const pseudo = { ':authority': host, ':method': 'GET', ':path': path, ':scheme': 'https' };
  const headers = { ...pseudo, ...usualHeaders, ...own };
  const http = { id: '14067190817215284471', method: 'GET', path, host, scheme: 'https', protocol: 'HTTP/2', headers };
  const attributes = {
    source: { ...peer('10.4.7.19', 51_442), certificate: certificate?.replaceAll(/[\n +/=]/g, encodeURIComponent) },
    destination: peer('10.4.2.8', 8443),
    request: { time: { seconds: 1_795_227_600, nanos: 218_000_000 }, http },
    metadataContext: {},
    routeMetadataContext: {},
  };
  return withGrpcPrefix(codecOf('envoy.service.auth.v3.CheckRequest').encode({ attributes }));
}

function ownHeaders({ token, apiKey, proof, authorization }: MessageOptions): Readonly<Record<string, string>> {
  if (authorization !== undefined) return { authorization };
  if (token !== undefined) return credentialHeaders(token, proof);
  return apiKey === undefined ? { 'x-tenant': 'acme' } : { 'x-api-key': apiKey };
}

function credentialHeaders(token: string, proof: string | undefined): Readonly<Record<string, string>> {
  return proof === undefined ? { authorization: `Bearer ${token}` } : { authorization: `DPoP ${token}`, dpop: proof };
}

/** The message behind its length, not compressed. */
export function withGrpcPrefix(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(5 + message.length);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, 5);
  return bytes;
}

function peer(address: string, portValue: number): object {
  return { address: { socketAddress: { address, portValue } } };
}

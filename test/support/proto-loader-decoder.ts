import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { isUtf8 } from 'node:buffer';
import { fileURLToPath } from 'node:url';
import type { RawHeader, RawRequest, RequestRoute } from '../../src/core/request.ts';
import { maxDecodedHeaders } from '../../src/envoy/check-parts.ts';
import type { CheckRequestDecoder, DecodedCheck } from '../../src/envoy/decode-check-request.ts';
import { asBuffer } from '../../src/std/as-buffer.ts';
import { rawHeaders } from '../../src/canonical/raw-headers.ts';

const file = fileURLToPath(new URL('check_view.proto', import.meta.url));

/** The message `portcullis.CheckView` as the loader gives it: absent fields are absent. */
export interface CheckView {
  readonly attributes?: {
    readonly source?: {
      readonly address?: { readonly socketAddress?: { readonly address?: string } };
      readonly principal?: string;
      readonly certificate?: string;
    };
    readonly request?: { readonly http?: HttpView };
    readonly contextExtensions?: readonly Entry[];
    readonly routeMetadataContext?: {
      readonly filterMetadata?: readonly { readonly key?: string; readonly value?: StructView }[];
    };
  };
}

export interface StructView {
  readonly fields?: readonly { readonly key?: string; readonly value?: ValueView }[];
}

export interface ValueView {
  readonly stringValue?: string;
  readonly structValue?: StructView;
  readonly listValue?: { readonly values?: readonly ValueView[] };
}

export interface HttpView {
  readonly method?: string;
  readonly headers?: readonly Entry[];
  readonly path?: string;
  readonly host?: string;
  readonly scheme?: string;
  readonly protocol?: string;
  readonly headerMap?: { readonly headers?: readonly HeaderValue[] };
}

export interface Entry {
  readonly key?: string;
  readonly value?: string;
}

export interface HeaderValue extends Entry {
  readonly rawValue?: Uint8Array;
}

/** The decoder on @grpc/proto-loader: what the one of `src/envoy` is held against. */
export function createProtoLoaderDecoder(): CheckRequestDecoder {
  const view = loadSync(file)['portcullis.CheckView'] as MessageTypeDefinition<CheckView, CheckView>;
  return {
    decode(bytes) {
      if (bytes.length === 0) return undecodable('the message is empty');
      let check: CheckView;
      try {
        check = view.deserialize(asBuffer(bytes));
      } catch {
        return undecodable('the bytes are not a CheckRequest');
      }
      return toRawRequest(check);
    },
  };
}

function undecodable(why: string): DecodedCheck {
  return { kind: 'undecodable', why };
}

const none: readonly RawHeader[] = [];

/** The request that the message describes. */
export function toRawRequest({ attributes }: CheckView): DecodedCheck {
  const http = attributes?.request?.http;
  const raw = http?.headerMap?.headers;
  const joined = http?.headers;
  // Envoy fills one of the two; with both there would be two readings of one request.
  if (raw !== undefined && joined !== undefined) return undecodable('it has both headers and header_map');
  const request: RawRequest = {
    kind: http === undefined ? 'other' : 'http',
    method: http?.method ?? '',
    target: http?.path ?? '',
    host: http?.host ?? '',
    scheme: http?.scheme ?? '',
    protocol: http?.protocol ?? '',
    headers: rawHeaders(gather(raw ?? joined)),
    duplicates: raw === undefined ? 'joined' : 'separate',
    // A pipe or an internal listener has no address of a client's machine.
    peerAddress: attributes?.source?.address?.socketAddress?.address || undefined,
    peerPrincipal: attributes?.source?.principal ?? '',
    peerCertificate: attributes?.source?.certificate ?? '',
    contextExtensions: toMap(attributes?.contextExtensions),
    route: toRoute(attributes?.routeMetadataContext?.filterMetadata),
  };
  return { kind: 'request', request };
}

/** The header fields without what is none: pseudo headers, and what a client can only have forged. */
function gather(values: readonly HeaderValue[] | undefined): readonly RawHeader[] {
  if (values === undefined) return none;
  const headers: RawHeader[] = [];
  for (const value of values) {
    const name = value.key?.toLowerCase() ?? '';
    if (name.startsWith(':') || name === 'x-envoy-auth-partial-body') continue;
    headers.push(toHeader(name, value));
    if (headers.length > maxDecodedHeaders) break;
  }
  return headers;
}

function toHeader(name: string, { value = '', rawValue }: HeaderValue): RawHeader {
  if (rawValue === undefined || rawValue.length === 0) {
    // The replacement character is what the loader makes of bytes that are not UTF-8.
    return { name, value, isText: !value.includes('\uFFFD') };
  }
  const text = asBuffer(rawValue).toString('utf8');
  return { name, value: text, isText: !text.includes('\uFFFD') || isUtf8(rawValue) };
}

const noExtensions: ReadonlyMap<string, string> = new Map();

function toMap(entries: readonly Entry[] | undefined): ReadonlyMap<string, string> {
  if (entries === undefined) return noExtensions;
  const map = new Map<string, string>();
  for (const { key = '', value = '' } of entries) map.set(key, value);
  return map;
}

/** The one resource that Envoy Gateway names. */
function toRoute(
  entries: readonly { readonly key?: string; readonly value?: StructView }[] = [],
): RequestRoute | undefined {
  const gateway = entries.findLast(({ key = '' }) => key === 'envoy-gateway')?.value;
  const resources = fieldOf(gateway, 'resources')?.listValue?.values;
  const struct = resources?.length === 1 ? resources[0]?.structValue : undefined;
  const text = (name: string): string => fieldOf(struct, name)?.stringValue ?? '';
  const [kind, namespace, name] = [text('kind'), text('namespace'), text('name')];
  if (kind === '' || namespace === '' || name === '') return undefined;
  const annotations = new Map<string, string>();
  for (const { key = '', value } of fieldOf(struct, 'annotations')?.structValue?.fields ?? []) {
    annotations.set(key, value?.stringValue ?? '');
  }
  return { kind, namespace, name, section: text('sectionName'), annotations };
}

function fieldOf(struct: StructView | undefined, name: string): ValueView | undefined {
  return struct?.fields?.findLast(({ key = '' }) => key === name)?.value;
}

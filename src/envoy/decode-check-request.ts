import { isUtf8 } from 'node:buffer';
import type { RawHeader, RawRequest } from '../core/request.ts';
import { asBuffer, codecOf } from './protos.ts';

/** Reads the bytes of an `envoy.service.auth.v3.CheckRequest`. Never throws. */
export interface CheckRequestDecoder {
  decode(bytes: Uint8Array): DecodedCheck;
}

export type DecodedCheck =
  | { readonly kind: 'request'; readonly request: RawRequest }
  /** `why` is fixed text: it holds nothing of the bytes. */
  | { readonly kind: 'undecodable'; readonly why: string };

/** No more header fields than this and one are handed on, so that whoever reads them can see that there were too many. */
export const maxDecodedHeaders = 1000;

/** The message `portcullis.CheckView` as the loader gives it: absent fields are absent. */
interface CheckView {
  readonly attributes?: {
    readonly source?: { readonly address?: { readonly socketAddress?: { readonly address?: string } } };
    readonly request?: { readonly http?: HttpView };
    readonly contextExtensions?: readonly Entry[];
  };
}

interface HttpView {
  readonly method?: string;
  readonly headers?: readonly Entry[];
  readonly path?: string;
  readonly host?: string;
  readonly scheme?: string;
  readonly protocol?: string;
  readonly headerMap?: { readonly headers?: readonly HeaderValue[] };
}

interface Entry {
  readonly key?: string;
  readonly value?: string;
}

interface HeaderValue extends Entry {
  readonly rawValue?: Uint8Array;
}

/** The decoder on @grpc/proto-loader, which reads only the fields that a decision looks at. */
export function createProtoLoaderDecoder(): CheckRequestDecoder {
  const view = codecOf('portcullis.CheckView');
  return {
    decode(bytes) {
      if (bytes.length === 0) return undecodable('the message is empty');
      let check: CheckView;
      try {
        check = view.decode(bytes);
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

function toRawRequest({ attributes }: CheckView): DecodedCheck {
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
    headers: gather(raw ?? joined),
    duplicates: raw === undefined ? 'joined' : 'separate',
    // A pipe or an internal listener has no address of a client's machine.
    peerAddress: attributes?.source?.address?.socketAddress?.address || undefined,
    contextExtensions: toMap(attributes?.contextExtensions),
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

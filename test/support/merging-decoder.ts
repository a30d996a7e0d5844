import { fromBinary, createFileRegistry, type DescMessage } from '@bufbuild/protobuf';
import { FieldDescriptorProto_Type, FileDescriptorProtoSchema, type DescriptorProto } from '@bufbuild/protobuf/wkt';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';
import type { CheckRequestDecoder } from '../../src/envoy/decode-check-request.ts';
import {
  toRawRequest,
  type CheckView,
  type Entry,
  type HeaderValue,
  type HttpView,
  type StructView,
  type ValueView,
} from './proto-loader-decoder.ts';

const file = fileURLToPath(new URL('check_view.proto', import.meta.url));
const name = 'portcullis.CheckView';

/** The view as protobuf-es shows it: texts as bytes, which it would refuse where they are not UTF-8. */
interface ByteView {
  readonly attributes?: {
    readonly source?: {
      readonly address?: {
        readonly address: OneOf<{ readonly socketAddress: { readonly address: Uint8Array }; readonly pipe: object }>;
      };
      readonly principal: Uint8Array;
      readonly certificate: Uint8Array;
    };
    readonly request?: { readonly http?: ByteHttp };
    readonly contextExtensions: readonly ByteEntry[];
    readonly routeMetadataContext?: {
      readonly filterMetadata: readonly { readonly key: Uint8Array; readonly value?: ByteStruct }[];
    };
  };
}

interface ByteStruct {
  readonly fields: readonly { readonly key: Uint8Array; readonly value?: ByteValue }[];
}

interface ByteValue {
  readonly kind: OneOf<{
    readonly stringValue: Uint8Array;
    readonly structValue: ByteStruct;
    readonly listValue: { readonly values: readonly ByteValue[] };
    readonly nullValue: number;
    readonly numberValue: number;
    readonly boolValue: boolean;
  }>;
}

/** The one member that is set, as protobuf-es shows it. */
type OneOf<Members extends object> =
  | { readonly [Name in keyof Members]: { readonly case: Name; readonly value: Members[Name] } }[keyof Members]
  | { readonly case: undefined };

interface ByteHttp {
  readonly method: Uint8Array;
  readonly headers: readonly ByteEntry[];
  readonly path: Uint8Array;
  readonly host: Uint8Array;
  readonly scheme: Uint8Array;
  readonly protocol: Uint8Array;
  readonly headerMap?: { readonly headers: readonly ByteHeaderValue[] };
}

interface ByteEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

interface ByteHeaderValue extends ByteEntry {
  readonly rawValue: Uint8Array;
}

/** The decoder on protobuf-es. It reads a message that comes twice as one, as protobuf wants it; the loader takes the last one. */
export function createMergingDecoder(): CheckRequestDecoder {
  const view = describeView();
  return {
    decode(bytes) {
      try {
        return toRawRequest(toView(fromBinary(view, bytes) as unknown as ByteView));
      } catch {
        return { kind: 'undecodable', why: 'protobuf-es does not read it' };
      }
    },
  };
}

function describeView(): DescMessage {
  const { fileDescriptorProtos } = loadSync(file)[name] as MessageTypeDefinition<object, object>;
  const [bytes = new Uint8Array()] = fileDescriptorProtos;
  const proto = fromBinary(FileDescriptorProtoSchema, bytes);
  for (const message of proto.messageType) adapt(message);
  const view = createFileRegistry(proto, () => undefined).getMessage(name);
  if (view === undefined) throw new TypeError(`${file} has no message ${name}`);
  return view;
}

function adapt({ field, nestedType }: DescriptorProto): void {
  for (const one of field) {
    if (one.type === FieldDescriptorProto_Type.STRING) one.type = FieldDescriptorProto_Type.BYTES;
    // The loader names types as the file does; all of them stand within the view.
    if (one.typeName !== '') one.typeName = `.${name}.${one.typeName}`;
  }
  for (const nested of nestedType) adapt(nested);
}

function toView({ attributes }: ByteView): CheckView {
  if (attributes === undefined) return {};
  const { source, request, contextExtensions, routeMetadataContext } = attributes;
  const form = source?.address?.address;
  const address = form?.case === 'socketAddress' ? form.value.address : undefined;
  return {
    attributes: {
      ...(source && {
        source: {
          ...(address && { address: { socketAddress: { address: textOf(address) } } }),
          principal: textOf(source.principal),
          certificate: textOf(source.certificate),
        },
      }),
      ...(request?.http && { request: { http: toHttp(request.http) } }),
      contextExtensions: contextExtensions.map(toEntry),
      ...(routeMetadataContext && {
        routeMetadataContext: {
          filterMetadata: routeMetadataContext.filterMetadata.map(({ key, value }) => ({
            key: textOf(key),
            ...(value && { value: toStruct(value) }),
          })),
        },
      }),
    },
  };
}

function toStruct({ fields }: ByteStruct): StructView {
  return { fields: fields.map(({ key, value }) => ({ key: textOf(key), ...(value && { value: toValue(value) }) })) };
}

function toValue({ kind }: ByteValue): ValueView {
  switch (kind.case) {
    case 'stringValue':
      return { stringValue: textOf(kind.value) };
    case 'structValue':
      return { structValue: toStruct(kind.value) };
    case 'listValue':
      return { listValue: { values: kind.value.values.map(toValue) } };
    case 'nullValue':
    case 'numberValue':
    case 'boolValue':
    case undefined:
      return {};
  }
}

function toHttp(http: ByteHttp): HttpView {
  const separate = http.headerMap?.headers ?? [];
  return {
    method: textOf(http.method),
    path: textOf(http.path),
    host: textOf(http.host),
    scheme: textOf(http.scheme),
    protocol: textOf(http.protocol),
    ...(http.headers.length > 0 && { headers: http.headers.map(toEntry) }),
    ...(separate.length > 0 && { headerMap: { headers: separate.map(toHeaderValue) } }),
  };
}

function toEntry({ key, value }: ByteEntry): Entry {
  return { key: textOf(key), value: textOf(value) };
}

function toHeaderValue(header: ByteHeaderValue): HeaderValue {
  return { ...toEntry(header), rawValue: header.rawValue };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

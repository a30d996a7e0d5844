import type { RawHeader } from '../core/request.ts';
import type { WireReader } from '../std/wire-reader.ts';
import { checkRequestFields, mapEntryFields } from './check-request-fields.ts';
import { readMetadata, type Metadata } from './read-metadata.ts';
import { clearEntry, emptyEntry, toHeader, type HeaderEntry } from './header-entry.ts';

/** No more header fields than this and one are handed on, so that whoever reads them can see that there were too many. */
export const maxDecodedHeaders = 1000;

/** What a decision reads of a CheckRequest; what the message does not have is empty or undefined. */
export interface CheckParts {
  isHttp: boolean;
  method: string;
  path: string;
  host: string;
  scheme: string;
  protocol: string;
  /** The header fields of `headers`; undefined where it has no entry. */
  joined: RawHeader[] | undefined;
  /** Those of `header_map`. */
  separate: RawHeader[] | undefined;
  peerAddress: string;
  peerPrincipal: string;
  peerCertificate: string;
  contextExtensions: Map<string, string> | undefined;
  /** What the proxy says of the route that it chose. */
  routeMetadata: Metadata | undefined;
  /** The entry that is being read, one after the other. */
  readonly entry: HeaderEntry;
}

/**
 * Reads a whole CheckRequest. As protobuf has it, fields come in any order, the last value of a text counts, and a message that comes
 * twice is read as one. A map is read as the list of entries that it is on the wire: a header named `__proto__` is a header like any
 * other, and the order is kept. Throws a WireError.
 */
export function readCheckParts(reader: WireReader): CheckParts {
  const parts: CheckParts = {
    isHttp: false,
    method: '',
    path: '',
    host: '',
    scheme: '',
    protocol: '',
    joined: undefined,
    separate: undefined,
    peerAddress: '',
    peerPrincipal: '',
    peerCertificate: '',
    contextExtensions: undefined,
    routeMetadata: undefined,
    entry: emptyEntry(),
  };
  readMessage(reader, reader.length, checkRequest, parts);
  return parts;
}

/** How one kind of message is read. `take` reads or passes the contents of the field that the reader has found. */
interface Shape {
  readonly known: readonly number[];
  take(reader: WireReader, field: number, parts: CheckParts): void;
}

function readMessage(reader: WireReader, limit: number, shape: Shape, parts: CheckParts): void {
  for (let field = reader.next(limit, shape.known); field !== 0; field = reader.next(limit, shape.known)) {
    shape.take(reader, field, parts);
  }
}

const fieldsOf = {
  check: checkRequestFields['envoy.service.auth.v3.CheckRequest'],
  attributes: checkRequestFields['envoy.service.auth.v3.AttributeContext'],
  peer: checkRequestFields['envoy.service.auth.v3.AttributeContext.Peer'],
  address: checkRequestFields['envoy.config.core.v3.Address'],
  socketAddress: checkRequestFields['envoy.config.core.v3.SocketAddress'],
  request: checkRequestFields['envoy.service.auth.v3.AttributeContext.Request'],
  http: checkRequestFields['envoy.service.auth.v3.AttributeContext.HttpRequest'],
  headerMap: checkRequestFields['envoy.config.core.v3.HeaderMap'],
  headerValue: checkRequestFields['envoy.config.core.v3.HeaderValue'],
  mapEntry: mapEntryFields,
} as const;

const mapEntry: Shape = {
  known: Object.values(fieldsOf.mapEntry),
  take(reader, field, { entry }) {
    switch (field) {
      case fieldsOf.mapEntry.key:
        entry.key = reader.text();
        break;
      case fieldsOf.mapEntry.value:
        entry.value = reader.text();
        entry.isValueText = reader.isAscii || !entry.value.includes('\uFFFD');
        break;
      default:
        reader.pass();
    }
  },
};

const headerValue: Shape = {
  known: Object.values(fieldsOf.headerValue),
  take(reader, field, parts) {
    if (field !== fieldsOf.headerValue.raw_value) return mapEntry.take(reader, field, parts);
    const { entry } = parts;
    entry.rawValue = reader.text();
    entry.isRawValueText = reader.isUtf8();
  },
};

/** The entry in which the reader is, whose place the next one takes. */
function readEntry(reader: WireReader, shape: Shape, parts: CheckParts): HeaderEntry {
  clearEntry(parts.entry);
  readMessage(reader, reader.end, shape, parts);
  return parts.entry;
}

function addHeader(headers: RawHeader[], entry: HeaderEntry): void {
  if (headers.length > maxDecodedHeaders) return;
  const header = toHeader(entry);
  if (header !== undefined) headers.push(header);
}

const headerMap: Shape = {
  known: Object.values(fieldsOf.headerMap),
  take(reader, field, parts) {
    if (field !== fieldsOf.headerMap.headers) return reader.pass();
    addHeader((parts.separate ??= []), readEntry(reader, headerValue, parts));
  },
};

const http: Shape = {
  known: Object.values(fieldsOf.http),
  take(reader, field, parts) {
    switch (field) {
      case fieldsOf.http.headers:
        addHeader((parts.joined ??= []), readEntry(reader, mapEntry, parts));
        break;
      case fieldsOf.http.header_map:
        readMessage(reader, reader.end, headerMap, parts);
        break;
      case fieldsOf.http.method:
        parts.method = reader.text();
        break;
      case fieldsOf.http.path:
        parts.path = reader.text();
        break;
      case fieldsOf.http.host:
        parts.host = reader.text();
        break;
      case fieldsOf.http.scheme:
        parts.scheme = reader.text();
        break;
      case fieldsOf.http.protocol:
        parts.protocol = reader.text();
        break;
      default:
        reader.pass();
    }
  },
};

const request: Shape = {
  known: Object.values(fieldsOf.request),
  take(reader, field, parts) {
    if (field !== fieldsOf.request.http) return reader.pass();
    parts.isHttp = true;
    readMessage(reader, reader.end, http, parts);
  },
};

const socketAddress: Shape = {
  known: Object.values(fieldsOf.socketAddress),
  take(reader, field, parts) {
    if (field === fieldsOf.socketAddress.address) parts.peerAddress = reader.text();
    else reader.pass();
  },
};

/** A message of which one field is read, itself a message. */
function shapeOfOne(wanted: number, inner: Shape): Shape {
  return {
    known: [wanted],
    take(reader, field, parts) {
      if (field === wanted) readMessage(reader, reader.end, inner, parts);
      else reader.pass();
    },
  };
}

const address = shapeOfOne(fieldsOf.address.socket_address, socketAddress);

const peer: Shape = {
  known: Object.values(fieldsOf.peer),
  take(reader, field, parts) {
    switch (field) {
      case fieldsOf.peer.address:
        readMessage(reader, reader.end, address, parts);
        break;
      case fieldsOf.peer.principal:
        parts.peerPrincipal = reader.text();
        break;
      case fieldsOf.peer.certificate:
        parts.peerCertificate = reader.text();
        break;
      default:
        reader.pass();
    }
  },
};

const attributes: Shape = {
  known: Object.values(fieldsOf.attributes),
  take(reader, field, parts) {
    switch (field) {
      case fieldsOf.attributes.source:
        readMessage(reader, reader.end, peer, parts);
        break;
      case fieldsOf.attributes.request:
        readMessage(reader, reader.end, request, parts);
        break;
      case fieldsOf.attributes.context_extensions: {
        const { key, value } = readEntry(reader, mapEntry, parts);
        (parts.contextExtensions ??= new Map()).set(key, value);
        break;
      }
      case fieldsOf.attributes.route_metadata_context:
        readMetadata(reader, reader.end, (parts.routeMetadata ??= new Map()));
        break;
      default:
        reader.pass();
    }
  },
};

const checkRequest = shapeOfOne(fieldsOf.check.attributes, attributes);

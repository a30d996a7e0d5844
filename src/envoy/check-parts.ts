import { WireReader } from '../std/wire-reader.ts';
import { checkRequestFields, mapEntryFields } from './check-request-fields.ts';
import { readMetadata, type Fields } from './read-metadata.ts';
import { HeaderFields } from './header-fields.ts';
import { wantedOfRoute } from './route-of-metadata.ts';

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
  joined: HeaderFields | undefined;
  /** Those of `header_map`. */
  separate: HeaderFields | undefined;
  peerAddress: string;
  peerPrincipal: string;
  peerCertificate: string;
  contextExtensions: Map<string, string> | undefined;
  /** What the proxy says of the route that it chose, by namespace, as far as it names the route. */
  routeMetadata: Fields | undefined;
  readonly bytes: Buffer;
}

/**
 * Reads a whole CheckRequest. As protobuf has it, fields come in any order, the last value of a text counts, and a message that comes
 * twice is read as one. A map is read as the list of entries that it is on the wire: a header named `__proto__` is a header like any
 * other, and the order is kept. Throws a WireError.
 */
export function readCheckParts(bytes: Buffer): CheckParts {
  const reader = new WireReader(bytes);
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
    bytes,
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

const headerFieldNumbers = Object.values(fieldsOf.headerValue);
const headerEntryNumbers = Object.values(fieldsOf.mapEntry);

/**
 * Adds the header field in which the reader is: an entry of a map, or a message (`isEntry` false), which have key and value under the same
 * numbers. A `string` entry has no third field: whatever stands there is none of ours. There are many of them in a request, so they are read
 * without a Shape.
 */
function addHeader(reader: WireReader, isEntry: boolean, headers: HeaderFields): void {
  const known = isEntry ? headerEntryNumbers : headerFieldNumbers;
  const limit = reader.end;
  let keyStart = 0;
  let keyEnd = 0;
  let valueStart = 0;
  let valueEnd = 0;
  let rawStart = 0;
  let rawEnd = 0;
  for (let field = reader.next(limit, known); field !== 0; field = reader.next(limit, known)) {
    const { at, end } = reader;
    reader.pass();
    if (field === fieldsOf.headerValue.key) {
      keyStart = at;
      keyEnd = end;
    } else if (field === fieldsOf.headerValue.value) {
      valueStart = at;
      valueEnd = end;
    } else if (field === fieldsOf.headerValue.raw_value && !isEntry) {
      rawStart = at;
      rawEnd = end;
    }
  }
  if (headers.length > maxDecodedHeaders) return;
  // Only a header_map that Envoy encodes raw has it.
  if (rawEnd > rawStart) headers.add(keyStart, keyEnd, rawStart, rawEnd, true);
  else headers.add(keyStart, keyEnd, valueStart, valueEnd, false);
}

/** An entry of a map of texts. */
function readTextEntry(reader: WireReader, into: Map<string, string>): void {
  const limit = reader.end;
  let key = '';
  let value = '';
  for (let field = reader.next(limit, textEntry); field !== 0; field = reader.next(limit, textEntry)) {
    if (field === fieldsOf.mapEntry.key) key = reader.text();
    else if (field === fieldsOf.mapEntry.value) value = reader.text();
    else reader.pass();
  }
  into.set(key, value);
}

const textEntry = Object.values(fieldsOf.mapEntry);

const headerMap: Shape = {
  known: Object.values(fieldsOf.headerMap),
  take(reader, field, parts) {
    if (field !== fieldsOf.headerMap.headers) return reader.pass();
    addHeader(reader, false, (parts.separate ??= new HeaderFields(parts.bytes)));
  },
};

/** What most requests have. */
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;
const schemes = ['https', 'http'] as const;
const protocols = ['HTTP/2', 'HTTP/1.1', 'HTTP/3', 'HTTP/1.0'] as const;

const http: Shape = {
  known: Object.values(fieldsOf.http),
  take(reader, field, parts) {
    switch (field) {
      case fieldsOf.http.headers:
        addHeader(reader, true, (parts.joined ??= new HeaderFields(parts.bytes)));
        break;
      case fieldsOf.http.header_map:
        readMessage(reader, reader.end, headerMap, parts);
        break;
      case fieldsOf.http.method:
        parts.method = reader.oneOf(methods) ?? reader.text();
        break;
      case fieldsOf.http.path:
        parts.path = reader.text();
        break;
      case fieldsOf.http.host:
        parts.host = reader.text();
        break;
      case fieldsOf.http.scheme:
        parts.scheme = reader.oneOf(schemes) ?? reader.text();
        break;
      case fieldsOf.http.protocol:
        parts.protocol = reader.oneOf(protocols) ?? reader.text();
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

/** The forms of an address exclude one another: the last one counts. */
const address: Shape = {
  known: Object.values(fieldsOf.address),
  take(reader, field, parts) {
    switch (field) {
      case fieldsOf.address.socket_address:
        readMessage(reader, reader.end, socketAddress, parts);
        break;
      case fieldsOf.address.pipe:
      case fieldsOf.address.envoy_internal_address:
        parts.peerAddress = '';
        reader.pass();
        break;
      default:
        reader.pass();
    }
  },
};

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
      case fieldsOf.attributes.context_extensions:
        readTextEntry(reader, (parts.contextExtensions ??= new Map()));
        break;
      case fieldsOf.attributes.route_metadata_context:
        readMetadata(reader, reader.end, wantedOfRoute, (parts.routeMetadata ??= new Map()));
        break;
      default:
        reader.pass();
    }
  },
};

const checkRequest = shapeOfOne(fieldsOf.check.attributes, attributes);

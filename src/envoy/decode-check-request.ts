import type { RawHeaders, RawRequest } from '../core/request.ts';
import { asBuffer } from '../std/as-buffer.ts';
import { readCheckParts, type CheckParts } from './check-parts.ts';
import type { HeldMessage } from './decision-load.ts';
import { HeaderFields } from './header-fields.ts';
import { routeOf } from './route-of-metadata.ts';

/** Reads the bytes of an `envoy.service.auth.v3.CheckRequest`. Never throws. */
export interface CheckRequestDecoder {
  decode(bytes: Uint8Array): DecodedCheck;
}

export type DecodedCheck =
  /** `message`: what the request keeps of the bytes; undefined where it keeps none. */
  | { readonly kind: 'request'; readonly request: RawRequest; readonly message?: HeldMessage | undefined }
  /** `why` is fixed text: it holds nothing of the bytes. */
  | { readonly kind: 'undecodable'; readonly why: string };

/**
 * The decoder by hand: it makes what a decision looks at and passes over the rest, bodies and the metadata that filters write among it. The texts of headers are
 * made when they are asked for: the bytes have to stay as they are until the request is decided.
 */
export function createCheckRequestDecoder(): CheckRequestDecoder {
  return {
    decode(bytes) {
      if (bytes.length === 0) return undecodable('the message is empty');
      let parts: CheckParts;
      try {
        parts = readCheckParts(asBuffer(bytes));
      } catch {
        return undecodable('the bytes are not a CheckRequest');
      }
      return toRawRequest(parts);
    },
  };
}

function undecodable(why: string): DecodedCheck {
  return { kind: 'undecodable', why };
}

function toRawRequest(parts: CheckParts): DecodedCheck {
  const { joined, separate } = parts;
  // Envoy fills one of the two; with both there would be two readings of one request.
  if (joined !== undefined && separate !== undefined) return undecodable('it has both headers and header_map');
  const request: RawRequest = {
    kind: parts.isHttp ? 'http' : 'other',
    method: parts.method,
    target: parts.path,
    host: parts.host,
    scheme: parts.scheme,
    protocol: parts.protocol,
    headers: separate ?? joined ?? noHeaders,
    duplicates: separate === undefined ? 'joined' : 'separate',
    // A pipe or an internal listener has no address of a client's machine.
    peerAddress: parts.peerAddress || undefined,
    peerPrincipal: parts.peerPrincipal,
    peerCertificate: parts.peerCertificate,
    contextExtensions: parts.contextExtensions ?? noExtensions,
    route: parts.routeMetadata && routeOf(parts.routeMetadata),
  };
  return { kind: 'request', request, message: new DecodedMessage(request, separate ?? joined) };
}

/** A class: every check has one, and hardly any is asked. */
class DecodedMessage implements HeldMessage {
  readonly #request: RawRequest;
  readonly #headers: HeaderFields | undefined;

  constructor(request: RawRequest, headers: HeaderFields | undefined) {
    this.#request = request;
    this.#headers = headers;
  }

  /** The path twice, as received and as read; what a header says may have been made. */
  get textBytes(): number {
    const { target, host, peerPrincipal, peerCertificate, contextExtensions, route } = this.#request;
    const made = 2 * target.length + 2 * host.length + peerPrincipal.length + peerCertificate.length;
    return made + bytesOf(contextExtensions) + bytesOf(route?.annotations) + (this.#headers?.textBytes ?? 0);
  }

  release(): void {
    this.#headers?.release();
  }
}

function bytesOf(texts: ReadonlyMap<string, string> | undefined): number {
  let bytes = 0;
  for (const [name, text] of texts ?? []) bytes += name.length + text.length;
  return bytes;
}

const noHeaders: RawHeaders = new HeaderFields(Buffer.alloc(0));
const noExtensions: ReadonlyMap<string, string> = new Map();

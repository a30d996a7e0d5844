import type { RawRequest } from '../core/request.ts';
import { WireReader } from '../std/wire-reader.ts';
import { readCheckParts, type CheckParts } from './check-parts.ts';
import { routeOf } from './route-of-metadata.ts';

/** Reads the bytes of an `envoy.service.auth.v3.CheckRequest`. Never throws. */
export interface CheckRequestDecoder {
  decode(bytes: Uint8Array): DecodedCheck;
}

export type DecodedCheck =
  | { readonly kind: 'request'; readonly request: RawRequest }
  /** `why` is fixed text: it holds nothing of the bytes. */
  | { readonly kind: 'undecodable'; readonly why: string };

/**
 * The decoder by hand: it makes what a decision looks at and passes over the rest, bodies and the metadata that filters write among it. The texts of a request
 * are parts of the message, which lives as long as any of them (std/own-copy for what is kept).
 */
export function createCheckRequestDecoder(): CheckRequestDecoder {
  return {
    decode(bytes) {
      if (bytes.length === 0) return undecodable('the message is empty');
      let parts: CheckParts;
      try {
        parts = readCheckParts(new WireReader(bytes));
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
    headers: separate ?? joined ?? [],
    duplicates: separate === undefined ? 'joined' : 'separate',
    // A pipe or an internal listener has no address of a client's machine.
    peerAddress: parts.peerAddress || undefined,
    peerPrincipal: parts.peerPrincipal,
    peerCertificate: parts.peerCertificate,
    contextExtensions: parts.contextExtensions ?? noExtensions,
    route: parts.routeMetadata && routeOf(parts.routeMetadata),
  };
  return { kind: 'request', request };
}

const noExtensions: ReadonlyMap<string, string> = new Map();

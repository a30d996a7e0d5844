import type { Allow, Decision, Deny, HeaderEntry } from '../core/decision.ts';
import { Failure } from '../core/failure.ts';
import { compileDynamicMetadata } from './dynamic-metadata.ts';
import {
  appendHeader,
  failureModeHeader,
  isSafeText,
  overwriteHeader,
  removableHeader,
  type HeaderOption,
} from './outgoing-headers.ts';
import { codecOf, type Codec } from './protos.ts';

/**
 * The only two ways to make an `envoy.service.auth.v3.CheckResponse`. Both throw a Failure rather than make a message that Envoy
 * would read as something else: a header that may not leave (`unsafe_header`), a status outside 400 to 599 (`unsafe_status`),
 * bytes without the status that says allow or deny (`unsafe_response`).
 */
export interface CheckResponseEncoder {
  /** `target` is that of the request: where it is empty (CONNECT) nothing is changed in its query. */
  allow(decision: Allow, target: string): Uint8Array;
  deny(decision: Deny): Uint8Array;
}

/** A status of google.rpc.Code for the proxy; what the client sees is the HTTP status. Any but 0 denies. */
const rpcCode = { ok: 0, permissionDenied: 7, unavailable: 14, unauthenticated: 16 } as const;
type RpcCode = (typeof rpcCode)[keyof typeof rpcCode];

export function createCheckResponseEncoder(): CheckResponseEncoder {
  const codec = codecOf('envoy.service.auth.v3.CheckResponse');
  const withMetadata = compileDynamicMetadata();
  return {
    allow(decision, target) {
      const message = serialize(codec, rpcCode.ok, { okResponse: okResponse(decision, target) });
      return withMetadata(message, decision);
    },
    deny(decision) {
      const message = serialize(codec, rpcCodeOf(decision), { deniedResponse: deniedResponse(decision) });
      return withMetadata(message, decision);
    },
  };
}

/** The bytes of the decision's answer; throws as the encoder does. */
export function encodeDecision(encoder: CheckResponseEncoder, decision: Decision, target: string): Uint8Array {
  switch (decision.kind) {
    case 'allow':
      return encoder.allow(decision, target);
    case 'deny':
      return encoder.deny(decision);
    default:
      // What is neither, whatever the types say, is not written.
      throw new Failure('unsafe_response', 'The decision is neither an allow nor a deny.');
  }
}

/**
 * Envoy allows what has no status, whatever else it has. So the code is given first and then looked for in the bytes:
 * `0a 02 08 CODE`, field 1 of two bytes with its field 1 as a varint.
 */
function serialize(codec: Codec, code: RpcCode, httpResponse: object): Uint8Array {
  const bytes = codec.encode({ ...httpResponse, status: { code } });
  if (bytes[0] !== 0x0a || bytes[1] !== 2 || bytes[2] !== 8 || bytes[3] !== code) {
    throw new Failure('unsafe_response', 'The CheckResponse does not begin with its status.');
  }
  return bytes;
}

function okResponse({ upstream, responseHeaders }: Allow, target: string): object {
  return {
    headers: upstream.setHeaders.map(overwriteHeader),
    headersToRemove: headersToRemove(upstream.setHeaders, upstream.removeHeaders),
    // Some versions of Envoy end when they rewrite the query of a request without a path (CVE-2026-73547).
    queryParametersToRemove: target === '' ? [] : upstream.removeQueryParameters.map(removableParameter),
    responseHeadersToAdd: downstreamHeaders(responseHeaders),
  };
}

/** Envoy removes after it sets, so a name that is set may not be among those removed (S26). */
function headersToRemove(set: readonly HeaderEntry[], remove: readonly string[]): readonly string[] {
  const isSet = (removed: string): boolean => set.some(([name]) => name === removed);
  const names = remove.filter((name) => !isSet(name)).map(removableHeader);
  if (!names.includes(failureModeHeader)) names.push(failureModeHeader);
  return names;
}

function removableParameter(name: string): string {
  if (name === '' || !isSafeText(name)) {
    throw new Failure('unsafe_parameter', 'The name of a query parameter to be removed may not leave.');
  }
  return name;
}

/**
 * A header of ours replaces the upstream's, but its cookies stay. Several values of one name are joined (RFC 9110 5.3): Envoy
 * appends before it overwrites, so that what is appended to a name that is overwritten too would be lost.
 */
function downstreamHeaders(entries: readonly HeaderEntry[]): readonly HeaderOption[] {
  if (entries.length === 0) return [];
  const cookies: HeaderOption[] = [];
  const others = new Map<string, string>();
  for (const entry of entries) {
    const [name, value] = entry;
    const before = others.get(name);
    if (name === 'set-cookie') cookies.push(appendHeader(entry));
    else others.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return [...Array.from(others, overwriteHeader), ...cookies];
}

/** An answer of our own is a denial for the proxy: it gives the answer and lets nothing through. */
function rpcCodeOf({ status, denial: { code } }: Deny): RpcCode {
  if (code === 'resource_metadata' && status === 200) return rpcCode.permissionDenied;
  if (!Number.isInteger(status) || status < 400 || status > 599) {
    throw new Failure('unsafe_status', 'The HTTP status of a denial is not between 400 and 599.');
  }
  if (status === 401) return rpcCode.unauthenticated;
  return status >= 500 ? rpcCode.unavailable : rpcCode.permissionDenied;
}

/**
 * Headers with `append: true` never reach the client here; with `append: false` Envoy takes out what its own answer had of the
 * name and adds every one of ours, so that several challenges arrive as several fields.
 */
function deniedResponse({ about, denial, status, responseHeaders, body }: Deny): object {
  const challenges = denial.challenges.map((value): HeaderEntry => ['www-authenticate', value]);
  const own: readonly HeaderEntry[] = [
    ['content-type', body?.contentType ?? 'application/json'],
    ...challenges,
    ...(denial.headers ?? []),
  ];
  const taken = new Set(own.map(([name]) => name));
  return {
    status: { code: status },
    headers: [...own, ...responseHeaders.filter(([name]) => !taken.has(name))].map(overwriteHeader),
    body: body?.text ?? JSON.stringify({ error: denial.code, message: denial.message, decision: about.id }),
  };
}

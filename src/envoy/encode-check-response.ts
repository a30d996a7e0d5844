import type { Allow, Decision, Deny, HeaderEntry } from '../core/decision.ts';
import { Failure } from '../core/failure.ts';
import { WireWriter } from '../std/wire-writer.ts';
import { compileDynamicMetadata } from './dynamic-metadata.ts';
import { assertSafeHeader, failureModeHeader, isSafeText, removableHeader } from './outgoing-headers.ts';

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

/** `number << 3 | type`; a test holds the bytes against those of a general encoder with Envoy's definitions. */
export const checkResponseTags = {
  response: { status: 0x0a, deniedResponse: 0x12, okResponse: 0x1a },
  denied: { status: 0x0a, headers: 0x12, body: 0x1a },
  ok: { headers: 0x12, headersToRemove: 0x2a, responseHeadersToAdd: 0x32, queryParametersToRemove: 0x42 },
  option: { header: 0x0a },
  header: { key: 0x0a, value: 0x12 },
  status: { code: 0x08 },
} as const;

const tags = checkResponseTags;

/**
 * Both ways of saying it are there: Envoy reads `append` (field 2, a BoolValue) alone for request headers and lets it win elsewhere, gRPC's
 * own client (A92) reads `append_action` (field 3).
 */
const appends = Buffer.of(0x12, 2, 0x08, 1, 0x18, 0);
const overwrites = Buffer.of(0x12, 2, 0x08, 0, 0x18, 2);

export function createCheckResponseEncoder(): CheckResponseEncoder {
  const writer = new WireWriter();
  const writeMetadata = compileDynamicMetadata();
  const removals = compileRemovals();

  function writeOkResponse({ upstream, responseHeaders }: Allow, target: string): void {
    const end = writer.written;
    // Some versions of Envoy end when they rewrite the query of a request without a path (CVE-2026-73547).
    if (target !== '')
      writeTexts(writer, tags.ok.queryParametersToRemove, upstream.removeQueryParameters, removableParameter);
    if (responseHeaders.length > 0) writeDownstream(writer, responseHeaders);
    removals(writer, upstream.setHeaders, upstream.removeHeaders);
    for (let i = upstream.setHeaders.length - 1; i >= 0; i--) {
      const entry = upstream.setHeaders[i];
      if (entry !== undefined) writeHeader(writer, tags.ok.headers, entry, overwrites);
    }
    writer.message(tags.response.okResponse, end);
  }

  return {
    allow(decision, target) {
      writer.begin();
      writeMetadata(writer, decision);
      writeOkResponse(decision, target);
      return finish(writer, rpcCode.ok);
    },
    deny(decision) {
      writer.begin();
      const code = rpcCodeOf(decision);
      writeMetadata(writer, decision);
      writeDeniedResponse(writer, decision);
      return finish(writer, code);
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
function finish(writer: WireWriter, code: RpcCode): Uint8Array {
  const end = writer.written;
  writer.number(tags.status.code, code);
  writer.message(tags.response.status, end);
  const bytes = writer.finish();
  if (bytes[0] !== 0x0a || bytes[1] !== 2 || bytes[2] !== 8 || bytes[3] !== code) {
    throw new Failure('unsafe_response', 'The CheckResponse does not begin with its status.');
  }
  return bytes;
}

/** A HeaderValueOption. Throws a Failure `unsafe_header` where name or value may not leave. */
function writeHeader(writer: WireWriter, tag: number, [name, value]: HeaderEntry, action: Uint8Array): void {
  assertSafeHeader(name, value);
  const end = writer.written;
  writer.raw(action);
  const endOfHeader = writer.written;
  writer.text(tags.header.value, value);
  writer.text(tags.header.key, name);
  writer.message(tags.option.header, endOfHeader);
  writer.message(tag, end);
}

function writeTexts(
  writer: WireWriter,
  tag: number,
  texts: readonly string[],
  checked: (text: string) => string,
): void {
  for (let i = texts.length - 1; i >= 0; i--) {
    const text = texts[i];
    if (text !== undefined) writer.text(tag, checked(text));
  }
}

/** Lists that a rule gives to many requests are encoded once. */
interface Removals {
  readonly names: ReadonlySet<string>;
  readonly bytes: Uint8Array;
}

type WriteRemovals = (writer: WireWriter, set: readonly HeaderEntry[], remove: readonly string[]) => void;

/** Envoy removes after it sets, so a name that is set may not be among those removed (S26). */
function compileRemovals(): WriteRemovals {
  const known = new WeakMap<readonly string[], Removals>();
  const inner = new WireWriter();
  return (writer, set, remove) => {
    let removals = known.get(remove);
    if (removals === undefined) {
      removals = encodeRemovals(inner, remove);
      known.set(remove, removals);
    }
    const { names } = removals;
    const both = set.some(([name]) => names.has(name));
    writer.raw(both ? encodeRemovals(inner, removeAllBut(remove, set)).bytes : removals.bytes);
  };
}

function removeAllBut(remove: readonly string[], set: readonly HeaderEntry[]): readonly string[] {
  return remove.filter((removed) => !set.some(([name]) => name === removed));
}

function encodeRemovals(writer: WireWriter, remove: readonly string[]): Removals {
  const names = new Set(remove);
  writer.begin();
  if (!names.has(failureModeHeader)) writer.text(tags.ok.headersToRemove, failureModeHeader);
  writeTexts(writer, tags.ok.headersToRemove, remove, removableHeader);
  return { names, bytes: writer.finish() };
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
function writeDownstream(writer: WireWriter, entries: readonly HeaderEntry[]): void {
  const others = new Map<string, string>();
  for (const [name, value] of entries) {
    const before = others.get(name);
    if (name !== 'set-cookie') others.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const cookies = entries.filter(([name]) => name === 'set-cookie');
  for (const cookie of cookies.toReversed()) writeHeader(writer, tags.ok.responseHeadersToAdd, cookie, appends);
  for (const other of [...others].toReversed()) writeHeader(writer, tags.ok.responseHeadersToAdd, other, overwrites);
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
function writeDeniedResponse(writer: WireWriter, { about, denial, status, responseHeaders, body }: Deny): void {
  const challenges = denial.challenges.map((value): HeaderEntry => ['www-authenticate', value]);
  const own: readonly HeaderEntry[] = [
    ['content-type', body?.contentType ?? 'application/json'],
    ...challenges,
    ...(denial.headers ?? []),
  ];
  const taken = new Set(own.map(([name]) => name));
  const headers = [...own, ...responseHeaders.filter(([name]) => !taken.has(name))];
  const end = writer.written;
  const text = body?.text ?? JSON.stringify({ error: denial.code, message: denial.message, decision: about.id });
  writer.text(tags.denied.body, text.toWellFormed());
  for (const header of headers.toReversed()) writeHeader(writer, tags.denied.headers, header, overwrites);
  const endOfStatus = writer.written;
  writer.number(tags.status.code, status);
  writer.message(tags.denied.status, endOfStatus);
  writer.message(tags.response.deniedResponse, end);
}

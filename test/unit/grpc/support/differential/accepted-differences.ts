import type { Piece, SentFrame } from './frames.ts';
import type { Observation, StreamEnd } from './observe.ts';
import { readSentFacts, type SentFacts } from './sent-facts.ts';

/** One thing in which both servers differ: a stream, or what is said of the connection. */
export interface Difference {
  readonly where: number | 'connection' | 'settings' | 'pings';
  readonly native: unknown;
  readonly reference: unknown;
}

interface Comparison {
  readonly native: Observation;
  readonly reference: Observation;
  readonly sent: SentFacts;
}

/** A difference that both may make, and why. */
interface Rule {
  readonly reason: string;
  /** Of the connection or of a stream; what else differs is judged by itself. */
  accepts(difference: Difference, comparison: Comparison): boolean;
}

/** The types of frames that the rules are about. */
const [headersType, priorityType, rstType, settingsType, continuationType] = [1, 2, 3, 4, 9];

/** The sections are those of RFC 9113 where nothing else is said. */
export const rules: readonly Rule[] = [
  {
    reason: 'INTERNAL_ERROR (7): node:http2 has failed by itself, and says nothing of what was sent.',
    accepts: (_difference, { native, reference }) =>
      reference.connection === 2 && native.connection !== 'stuck' && native.connection !== 2,
  },
  {
    reason:
      'Both end the connection at the same frame: what was answered just before may be lost (5.4.1), and node:http2 answers later than it reads.',
    accepts: ({ where }, { native, reference, sent }) =>
      where !== 'connection' &&
      isEnded(native) &&
      isEnded(reference) &&
      isAtSameFrame(native, reference, sent) &&
      (isLess(where, reference, native) || isRefusedOnly(reference, where)),
  },
  {
    reason:
      'Both end the connection at the same frame, with other codes: it has several mistakes, and none has to be named first (5.4.1). nghttp2 reads a header block as it comes, we do when it is whole (4.3).',
    accepts: ({ where, native: ours, reference: theirs }, { native, reference, sent }) =>
      where === 'connection' &&
      isMistake(ours) &&
      isMistake(theirs) &&
      (isAtSameFrame(native, reference, sent) || (theirs === 9 && ours === 1 && isWithinBlock(sent, native.sent))),
  },
  {
    reason:
      'A stream is reset for a mistake for which nghttp2 ends the connection with the same code, as it may (5.4.1).',
    accepts: ({ where }, { native, reference }) =>
      typeof reference.connection === 'number' &&
      isMistake(reference.connection) &&
      native.connection !== 'stuck' &&
      native.resets.has(reference.connection) &&
      native.sent >= reference.sent &&
      (where === 'connection' || isLess(where, reference, native)),
  },
  {
    reason:
      'A frame for a stream that the client has reset, or passed over: nghttp2 drops it, we say STREAM_CLOSED (5.1).',
    accepts: ({ where }, { native, reference, sent }) =>
      typeof where === 'number' &&
      native.streams.get(where)?.end === 5 &&
      isClosedByClient(where, sent) &&
      isPart(reference.streams.get(where), native.streams.get(where), 5),
  },
  {
    reason:
      'HEADERS for a stream that is over or was passed over: nghttp2 drops them, we end the connection as we must (5.1, 5.1.1).',
    accepts: ({ where }, { native, reference, sent }) => {
      const before = sent.frames.filter(({ type, end }) => type === headersType && end <= native.sent);
      const last = before.pop();
      const isOld = last !== undefined && before.some(({ stream }) => stream >= last.stream);
      return (
        (native.connection === 1 || native.connection === 5) &&
        isOld &&
        reference.sent >= native.sent &&
        isLess(where, native, reference)
      );
    },
  },
  {
    reason:
      'A CONTINUATION that says that it is longer than 16384 bytes: nghttp2 takes it, we end the connection as we must (4.2).',
    accepts: ({ where }, { native, reference, sent }) =>
      native.connection === 6 && sent.hasLies && isWithinBlock(sent, native.sent) && isLess(where, native, reference),
  },
  {
    reason:
      'DATA with more padding than bytes for a stream that is over: nghttp2 passes them over, we end the connection as we must (4.2, 6.1).',
    accepts: ({ where }, { native, reference, sent }) => {
      const last = frameAt(sent, native.sent);
      const isWrong = last?.type === 0 && (last.flags & 8) !== 0 && (last.payload[0] ?? 0) >= last.payload.length;
      return (
        (native.connection === 1 || native.connection === 6) &&
        isWrong &&
        reference.sent >= native.sent &&
        isLess(where, native, reference)
      );
    },
  },
  {
    reason:
      'A PRIORITY for no stream or for one that depends on itself: nghttp2 passes it over, for us it is a mistake (6.3, RFC 7540 section 5.3.1).',
    accepts: ({ where }, { native, reference, sent }) => {
      const last = frameAt(sent, native.sent);
      return (
        native.connection === 1 &&
        last?.type === priorityType &&
        isWrongPriority(last) &&
        reference.sent >= native.sent &&
        isLess(where, native, reference)
      );
    },
  },
  {
    reason:
      'SETTINGS_ENABLE_CONNECT_PROTOCOL and SETTINGS_NO_RFC7540_PRIORITIES: unknown to us and passed over (6.5.2). For nghttp2 they may neither be above 1 nor change (RFC 8441 section 3, RFC 9218 section 2.1).',
    accepts: ({ where }, { native, reference, sent }) => {
      const last = frameAt(sent, reference.sent);
      return (
        reference.connection === 1 &&
        last?.type === settingsType &&
        isExtended(last.payload) &&
        native.sent >= reference.sent &&
        isLess(where, reference, native)
      );
    },
  },
  {
    reason: 'A field that no request may hold: nghttp2 leaves the field out, we refuse the request (8.2.1).',
    accepts: ({ where, native: ours }, { sent }) =>
      typeof where === 'number' && ours === '  1' && sent.withInvalidFields.has(where),
  },
  {
    reason:
      'A path without a slash, and no authority: nghttp2 resets the stream. No method has such a path, and gRPC needs no authority (gRPC over HTTP/2, Requests).',
    accepts: ({ where }, { native, reference, sent }) => {
      const [ours, theirs] = typeof where === 'number' ? [native.streams.get(where), reference.streams.get(where)] : [];
      if (ours === undefined || theirs?.end !== 1) return false;
      return (
        (sent.withOddPath.has(Number(where)) && ours.status === '200 12') || sent.withoutAuthority.has(Number(where))
      );
    },
  },
  {
    reason: 'The connection’s window is too small for all answers: as much is sent, of other streams (5.2.2).',
    accepts: ({ where }, { native, reference }) =>
      typeof where === 'number' &&
      native.connection === 'alive' &&
      reference.connection === 'alive' &&
      answeredBytes(native) === answeredBytes(reference) &&
      answeredBytes(native) >= 65_535,
  },
  {
    reason:
      'An answer takes a window to its last byte: node:http2 sends the trailers once it is open again, we send them, for they need none (6.9).',
    accepts: ({ where }, { native, reference }) => {
      const [ours, theirs] = typeof where === 'number' ? [native.streams.get(where), reference.streams.get(where)] : [];
      return (
        ours?.status === '200 0' && theirs?.status === '200' && theirs.end === 'open' && ours.bytes === theirs.bytes
      );
    },
  },
  {
    reason:
      'A content-length in trailers: nghttp2 counts by it, for us it says nothing there (RFC 9110 section 6.5.1).',
    accepts: ({ where }, { reference, sent }) =>
      typeof where === 'number' && sent.withLengthInTrailers.has(where) && reference.streams.get(where)?.end === 1,
  },
];

function isEnded({ connection }: Observation): boolean {
  return connection === 'closed' || typeof connection === 'number';
}

/** The frame that was sent last before the connection was over. */
function frameAt(sent: SentFacts, bytes: number): SentFrame | undefined {
  return sent.frames.findLast(({ end }) => end <= bytes);
}

/** The stream was reset for a mistake, and not answered. */
function isRefusedOnly({ streams }: Observation, where: Difference['where']): boolean {
  const stream = typeof where === 'number' ? streams.get(where) : undefined;
  return stream?.status === '' && isMistake(stream.end);
}

/** Within a header block, and where a frame's length is a lie, nobody can ask how far the other side has read. */
function isAtSameFrame(a: Observation, b: Observation, { hasLies }: SentFacts): boolean {
  return hasLies || a.waits === b.waits;
}

/** A header block was not whole before the frame that was sent last. */
function isWithinBlock(sent: SentFacts, bytes: number): boolean {
  const last = sent.frames.findLast(
    ({ type, end }) => end <= bytes && (type === headersType || type === continuationType),
  );
  return last !== undefined && (last.flags & 4) === 0;
}

function isClosedByClient(id: number, { frames }: SentFacts): boolean {
  const opened = frames.findIndex(({ type, stream }) => type === headersType && stream === id);
  const passed = frames.findIndex(({ type, stream }) => type === headersType && stream > id);
  return (
    frames.some(({ type, stream }) => type === rstType && stream === id) ||
    (passed >= 0 && (opened < 0 || opened > passed))
  );
}

/** PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, COMPRESSION_ERROR, ENHANCE_YOUR_CALM. */
function isMistake(code: unknown): boolean {
  return typeof code === 'number' && [1, 3, 5, 6, 9, 11].includes(code);
}

/** Whose connection was over earlier has seen less. */
function isLess(where: Difference['where'], less: Observation, more: Observation): boolean {
  switch (where) {
    case 'connection':
      return true;
    case 'settings':
      return less.settings <= more.settings;
    case 'pings':
      return less.pings.every((ping, index) => ping === more.pings[index]);
    default:
      return isPart(less.streams.get(where), more.streams.get(where));
  }
}

/** Everything that differs and that no rule accepts. */
export function differencesOf(
  native: Observation,
  reference: Observation,
  pieces: readonly Piece[],
  used?: Map<string, number>,
): readonly Difference[] {
  const ids = new Set([...native.streams.keys(), ...reference.streams.keys()]);
  const all: Difference[] = [
    { where: 'connection', native: native.connection, reference: reference.connection },
    { where: 'settings', native: native.settings, reference: reference.settings },
    { where: 'pings', native: native.pings.join(' '), reference: reference.pings.join(' ') },
    ...[...ids].map((id) => ({
      where: id,
      native: said(native.streams.get(id)),
      reference: said(reference.streams.get(id)),
    })),
  ];
  const comparison = { native, reference, sent: readSentFacts(pieces) };
  return all.filter((one) => {
    if (one.native === one.reference) return false;
    const rule = rules.find((rule) => rule.accepts(one, comparison));
    if (rule !== undefined) used?.set(rule.reason, (used.get(rule.reason) ?? 0) + 1);
    return rule === undefined;
  });
}

/** What a stream had come to before its connection was over. */
function isPart(part: StreamEnd | undefined, whole: StreamEnd | undefined, end: StreamEnd['end'] = 'open'): boolean {
  if (part === undefined) return true;
  return (
    whole !== undefined &&
    (part.end === 'open' || part.end === end) &&
    whole.status.startsWith(part.status) &&
    whole.bytes.startsWith(part.bytes)
  );
}

function isWrongPriority({ stream, payload }: SentFrame): boolean {
  return stream === 0 || (payload.length === 5 && (payload.readUInt32BE(0) & 0x7fff_ffff) === stream);
}

function isExtended(payload: Buffer): boolean {
  for (let at = 0; at + 6 <= payload.length; at += 6) if ([8, 9].includes(payload.readUInt16BE(at))) return true;
  return false;
}

/** All that was sent in answers, bytes. */
function answeredBytes({ streams }: Observation): number {
  return [...streams.values()].reduce((sum, { bytes }) => sum + bytes.length / 2, 0);
}

function said(end: StreamEnd | undefined): string {
  return end === undefined ? 'nothing' : `${end.status} ${end.bytes} ${end.end}`;
}

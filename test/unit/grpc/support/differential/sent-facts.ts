import { createHpackModel, type Field } from '../hpack-model.ts';
import { bytesOf, framesIn, SentBytes, type Piece, type SentFrame } from './frames.ts';

/** What was sent, as far as a difference may depend on it. */
export interface SentFacts {
  readonly frames: readonly SentFrame[];
  /** A frame is not as long as it says. */
  readonly hasLies: boolean;
  /** Streams with a header block that holds a field whose name or value no field may have. */
  readonly withInvalidFields: ReadonlySet<number>;
  /** Streams with a content-length behind their first header block. */
  readonly withLengthInTrailers: ReadonlySet<number>;
  /** Streams whose path begins with no slash. */
  readonly withOddPath: ReadonlySet<number>;
  /** Streams whose first header block names neither authority nor host. */
  readonly withoutAuthority: ReadonlySet<number>;
}

export function readSentFacts(pieces: readonly Piece[]): SentFacts {
  const whole = Buffer.concat(pieces.map(bytesOf));
  const sent = new SentBytes();
  sent.add(whole);
  const frames = framesIn(Buffer.concat([whole, sent.ending()]));
  const withInvalidFields = new Set<number>();
  const withLengthInTrailers = new Set<number>();
  const withOddPath = new Set<number>();
  const withoutAuthority = new Set<number>();
  const opened = new Set<number>();
  for (const { stream, fields } of blocksIn(frames)) {
    if (fields.some(isInvalid)) withInvalidFields.add(stream);
    if (opened.has(stream) && fields.some(([name]) => name === 'content-length')) withLengthInTrailers.add(stream);
    if (fields.some(([name, value]) => name === ':path' && !value.startsWith('/'))) withOddPath.add(stream);
    if (!opened.has(stream) && !fields.some(([name]) => name === ':authority' || name === 'host'))
      withoutAuthority.add(stream);
    opened.add(stream);
  }
  const hasLies = pieces.some(({ length, payload }) => (length ?? payload.length) !== payload.length);
  return { frames, hasLies, withInvalidFields, withLengthInTrailers, withOddPath, withoutAuthority };
}

/** The header blocks, up to the first one that cannot be read. */
export function blocksIn(
  frames: readonly SentFrame[],
): readonly { readonly stream: number; readonly fields: readonly Field[] }[] {
  const hpack = createHpackModel();
  const blocks: { stream: number; fields: Field[] }[] = [];
  let block = Buffer.alloc(0);
  for (const frame of frames) {
    if (frame.type === 1) block = Buffer.from(fragmentOf(frame));
    else if (frame.type === 9) block = Buffer.concat([block, frame.payload]);
    else continue;
    if ((frame.flags & 4) === 0) continue;
    const fields = hpack.read(block);
    if (fields === undefined) break;
    blocks.push({ stream: frame.stream, fields });
  }
  return blocks;
}

/** HEADERS without padding and priority. */
function fragmentOf({ flags, payload }: SentFrame): Buffer {
  const isPadded = (flags & 8) !== 0;
  const from = (isPadded ? 1 : 0) + ((flags & 0x20) === 0 ? 0 : 5);
  return payload.subarray(from, payload.length - (isPadded ? (payload[0] ?? 0) : 0));
}

/** RFC 9113 section 8.2.1. */
function isInvalid([name, value]: Field): boolean {
  return !/^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/u.test(name) || /[\0\r\n]|^[ \t]|[ \t]$/u.test(value);
}

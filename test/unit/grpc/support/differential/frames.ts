/** A frame as it is sent: right, or with a length that is not its own. */
export interface Piece {
  readonly type: number;
  readonly flags: number;
  /** 32 bits: the highest is nobody's. */
  readonly stream: number;
  readonly payload: Buffer;
  /** What its header says of its length, where that is a lie. */
  readonly length: number | undefined;
}

export function piece(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Piece {
  return { type, flags, stream, payload: Buffer.from(payload), length: undefined };
}

export function bytesOf({ type, flags, stream, payload, length }: Piece): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(length ?? payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

const names = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PUSH_PROMISE',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
];

/** One line for a person, all of its bytes in it. */
export function printed({ type, flags, stream, payload, length }: Piece): string {
  const lie = length === undefined ? '' : ` says ${length}`;
  return `${names[type] ?? `type ${type}`} flags ${flags.toString(16)} stream ${stream}${lie} [${payload.length}] ${payload.toString('hex')}`;
}

/** What has been sent so far, as a reader of frames sees it. */
export class SentBytes {
  #rest = Buffer.alloc(0);
  /** The stream of a header block that is not whole; 0: none. */
  #openBlock = 0;
  #newestStream = 0;

  add(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 9 && this.#rest.length >= 9 + this.#rest.readUIntBE(0, 3)) {
      const [type = 0, flags = 0] = this.#rest.subarray(3, 5);
      const stream = this.#rest.readUInt32BE(5) & 0x7fff_ffff;
      if (type === 1) this.#newestStream = Math.max(this.#newestStream, stream);
      if (type === 1 || type === 9) this.#openBlock = (flags & 4) === 0 ? stream : 0;
      this.#rest = this.#rest.subarray(9 + this.#rest.readUIntBE(0, 3));
    }
  }

  /** A frame of any kind may come now. */
  get isAtBoundary(): boolean {
    return this.#rest.length === 0 && this.#openBlock === 0;
  }

  /** An id for a new stream; undefined where there is none left. */
  get unusedStream(): number | undefined {
    const next = this.#newestStream + 1 + (this.#newestStream % 2);
    return next > 0x7fff_ffff ? undefined : next;
  }

  /** What brings a reader to a boundary: the rest of a frame in zeros, the end of a header block. */
  ending(): Buffer {
    const before = new SentBytes();
    before.#rest = this.#rest;
    before.#openBlock = this.#openBlock;
    const added: Buffer[] = [];
    const put = (bytes: Buffer): void => {
      added.push(bytes);
      before.add(bytes);
    };
    if (before.#rest.length > 0 && before.#rest.length < 9) put(Buffer.alloc(9 - before.#rest.length));
    if (before.#rest.length > 0) put(Buffer.alloc(9 + before.#rest.readUIntBE(0, 3) - before.#rest.length));
    if (before.#openBlock !== 0) put(bytesOf(piece(9, 4, before.#openBlock)));
    return Buffer.concat(added);
  }
}

export interface SentFrame extends Omit<Piece, 'length'> {
  /** How many bytes were sent with its last one. */
  readonly end: number;
}

/** The frames in these bytes, as a reader sees them; what is cut off at the end is left out. */
export function framesIn(bytes: Buffer): readonly SentFrame[] {
  const frames: SentFrame[] = [];
  for (let at = 0; bytes.length - at >= 9;) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const [type = 0, flags = 0] = bytes.subarray(at + 3, at + 5);
    frames.push({
      type,
      flags,
      stream: bytes.readUInt32BE(at + 5) & 0x7fff_ffff,
      payload: bytes.subarray(at + 9, end),
      end,
    });
    at = end;
  }
  return frames;
}

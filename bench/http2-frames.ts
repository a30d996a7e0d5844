/** The frames of HTTP/2 (RFC 9113 section 6) that a client of unary calls meets. */
export const frameType = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
} as const;

export const frameFlag = { endStream: 1, ack: 1, endHeaders: 4 } as const;

export const frameHeaderBytes = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  /** A view of what was received: copy what outlives the call. */
  readonly payload: Buffer;
}

/** Writes the header of a frame with `length` bytes of payload at the offset. */
export function writeFrameHeader(
  target: Buffer,
  offset: number,
  header: { readonly length: number; readonly type: number; readonly flags: number; readonly stream: number },
): void {
  target.writeUIntBE(header.length, offset, 3);
  target[offset + 3] = header.type;
  target[offset + 4] = header.flags;
  target.writeUInt32BE(header.stream, offset + 5);
}

export function encodeFrame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + payload.length);
  writeFrameHeader(frame, 0, { length: payload.length, type, flags, stream });
  frame.set(payload, frameHeaderBytes);
  return frame;
}

/** A WINDOW_UPDATE of a stream, or with 0 of the connection. */
export function encodeWindowUpdate(stream: number, increment: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(increment);
  return encodeFrame(frameType.windowUpdate, 0, stream, payload);
}

/** Takes chunks as they come in and hands on every frame that is complete. */
export function createFrameReader(onFrame: (frame: Frame) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= frameHeaderBytes) {
      const end = at + frameHeaderBytes + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      const stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
      const payload = bytes.subarray(at + frameHeaderBytes, end);
      onFrame({ type: bytes[at + 3] ?? 0, flags: bytes[at + 4] ?? 0, stream, payload });
      at = end;
    }
    rest = bytes.subarray(at);
  };
}

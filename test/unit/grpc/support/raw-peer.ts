import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { encodeHeaderBlock } from '../../../../src/grpc/hpack/encode-header-block.ts';
import { frameFlag, frameType, preface } from '../../../../src/grpc/http2/protocol.ts';

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A client that sends whatever the test says and notes what comes back. */
export interface RawPeer {
  readonly socket: Socket;
  /** All frames so far, in the order they came; SETTINGS and WINDOW_UPDATE of the beginning too. */
  readonly frames: readonly Frame[];
  send(...bytes: readonly Uint8Array[]): void;
  /** The first frame that fits, also one that has come already. Rejects where the connection is closed before. */
  find(fits: (frame: Frame, index: number) => boolean): Promise<Frame>;
  readonly isClosed: boolean;
  /** Sends a PING and waits for its answer: everything before has been read then. */
  settle(): Promise<void>;
  /** How the server ends the connection: the code of its GOAWAY and the last stream it names, or `closed` without one. */
  readonly end: Promise<{ readonly code: number; readonly lastStream: number } | 'closed'>;
}

/** Connects to `host:port`; a polite peer says its preface and SETTINGS and acknowledges the server's. */
export async function openPeer(address: string, manners: 'polite' | 'silent' = 'polite'): Promise<RawPeer> {
  const peer = await connectPeer(address);
  onTestFinished(() => void peer.socket.destroy());
  if (manners === 'polite') {
    peer.send(preface, frame(frameType.settings, 0, 0), settingsAck);
    await peer.find(({ type, flags }) => type === frameType.settings && flags === frameFlag.ack);
  }
  return peer;
}

/** Connects and says nothing; whoever asks for it ends it. */
export async function connectPeer(address: string): Promise<RawPeer> {
  const [host, port] = address.split(':');
  const socket = connect({ host, port: Number(port), noDelay: true });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new Peer(socket);
}

class Peer implements RawPeer {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  readonly end: RawPeer['end'];
  #rest: Buffer = Buffer.alloc(0);
  #wake: (() => void)[] = [];
  isClosed = false;
  #pings = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => {});
    this.end = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true;
        const goaway = this.frames.findLast(({ type }) => type === frameType.goaway)?.payload;
        resolve(goaway === undefined ? 'closed' : { code: goaway.readUInt32BE(4), lastStream: goaway.readUInt32BE(0) });
        this.#wakeAll();
      });
    });
  }

  send(...bytes: readonly Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(bytes));
  }

  async find(fits: (frame: Frame, index: number) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found !== undefined) return found;
      if (this.isClosed) throw new Error('the connection was closed before such a frame came');
      await new Promise<void>((resolve) => void this.#wake.push(resolve));
    }
  }

  async settle(): Promise<void> {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(++this.#pings);
    this.send(frame(frameType.ping, 0, 0, payload));
    await this.find(({ type, flags, payload: back }) => type === frameType.ping && flags === 1 && back.equals(payload));
  }

  #read(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3);
      const [type = 0, flags = 0] = bytes.subarray(3, 5);
      this.frames.push({ type, flags, stream: bytes.readUInt32BE(5), payload: bytes.subarray(9, end) });
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    this.#wakeAll();
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

export const settingsAck = frame(frameType.settings, frameFlag.ack, 0);

export function settings(...entries: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(entries.length * 6);
  entries.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  });
  return frame(frameType.settings, 0, 0, payload);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function windowUpdate(stream: number, increment: number): Buffer {
  return frame(frameType.windowUpdate, 0, stream, uint32(increment));
}

export function reset(stream: number, code = 8): Buffer {
  return frame(frameType.rstStream, 0, stream, uint32(code));
}

/** The fields of a call as Envoy sends them, with others in their place or behind them. */
export function callFields(more: Readonly<Record<string, string | undefined>> = {}): [string, string][] {
  const fields: Readonly<Record<string, string | undefined>> = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': '/test.Test/Echo',
    ':authority': 'outbound|9001||portcullis',
    te: 'trailers',
    'content-type': 'application/grpc',
    ...more,
  };
  return Object.entries(fields).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
}

/** HEADERS with END_HEADERS. */
export function headers(stream: number, fields: readonly (readonly [string, string])[], flags = 0): Buffer {
  return frame(frameType.headers, flags | frameFlag.endHeaders, stream, encodeHeaderBlock(fields));
}

/** A message with its gRPC prefix. */
export function prefixed(message: Uint8Array, flag = 0): Buffer {
  return Buffer.concat([Buffer.of(flag), uint32(message.length), message]);
}

export function data(stream: number, bytes: Uint8Array, flags = 0): Buffer {
  return frame(frameType.data, flags, stream, bytes);
}

/** A whole call: HEADERS, and DATA that end the request. */
export function call(stream: number, message: Uint8Array = Buffer.from('hello'), path = '/test.Test/Echo'): Buffer {
  return Buffer.concat([
    headers(stream, callFields({ ':path': path })),
    data(stream, prefixed(message), frameFlag.endStream),
  ]);
}

import { encodeHeaderBlock } from '../hpack/encode-header-block.ts';
import type { Http2Application } from './application.ts';
import { ClosedStreams } from './closed-streams.ts';
import { FloodGuard } from './flood-guard.ts';
import type { FrameSink } from './frame-reader.ts';
import { HeadDecoder } from './head-decoder.ts';
import { HeaderBlocks, readDependency, readPadding, type BlockSink } from './header-blocks.ts';
import { connectionWindow, price, rapidResets, requestTimeoutMs, stallTimeoutMs, streamWindow } from './limits.ts';
import { writePing, writeReset, writeSettingsAck, writeWindowUpdate, type Output } from './output.ts';
import {
  ConnectionError,
  errorCode,
  frameFlag,
  frameSizeError,
  frameType,
  protocolError,
  type ErrorCode,
} from './protocol.ts';
import type { HeadReader } from './request-head.ts';
import { Sender, type SenderHost } from './sender.ts';
import { streamsAllowed, type ServerLoad } from './server-load.ts';
import { readSettings } from './settings.ts';
import { Http2Stream, type StreamHost } from './stream.ts';

/** The connection below, as its session sees it. */
export interface Link {
  readonly isCongested: boolean;
  write(bytes: Buffer): boolean;
  /** Something was written for it outside of its turn, or it may be over. */
  wake(): void;
  settingsAcknowledged(): void;
  pingAcknowledged(): void;
}

/** What all sessions of a server use. */
export interface SessionParts<Request, Exchange> {
  readonly application: Http2Application<Request, Exchange>;
  readonly output: Output;
  readonly headReader: HeadReader;
  readonly load: ServerLoad;
}

const headTooLarge = encodeHeaderBlock([[':status', '431']]);

/**
 * The streams of a connection: frames in, frames out (RFC 9113 sections 5 and 6), without a socket and without time-outs of its own. What is wrong with the whole
 * connection is thrown as a ConnectionError. A class: one for each connection, and its parts call one another for every frame.
 */
export class Session<Request, Exchange>
  implements FrameSink, BlockSink, SenderHost<Http2Stream<Exchange>>, StreamHost<Exchange>
{
  readonly #application: Http2Application<Request, Exchange>;
  readonly #output: Output;
  readonly #link: Link;
  readonly #load: ServerLoad;
  readonly #guard: FloodGuard;
  readonly #blocks: HeaderBlocks;
  readonly #heads: HeadDecoder<Request>;
  readonly #sender: Sender<Http2Stream<Exchange>>;
  readonly #streams = new Map<number, Http2Stream<Exchange>>();
  readonly #closed = new ClosedStreams();
  #hasSettings = false;
  #isRefusing = false;
  #lastId = 0;
  /** What was received since the last WINDOW_UPDATE of the connection, bytes. */
  #taken = 0;
  now: number;
  abandoned = 0;
  waiting = 0;

  constructor({ application, output, headReader, load }: SessionParts<Request, Exchange>, link: Link, now: number) {
    this.#application = application;
    this.#output = output;
    this.#link = link;
    this.now = now;
    this.#guard = new FloodGuard(now);
    this.#blocks = new HeaderBlocks(this);
    this.#heads = new HeadDecoder(headReader, (head) => application.readHead(head));
    this.#load = load;
    this.#sender = new Sender(output, this, load);
  }

  get isCongested(): boolean {
    return this.#link.isCongested;
  }

  /** The client's SETTINGS were received. */
  get hasSettings(): boolean {
    return this.#hasSettings;
  }

  /** The newest stream that the peer has opened; 0: none. */
  get lastId(): number {
    return this.#lastId;
  }

  get isIdle(): boolean {
    return this.#streams.size === 0;
  }

  /** Streams that come from now on are refused. */
  refuse(): void {
    this.#isRefusing = true;
  }

  /** What was read comes now. */
  beginTurn(now: number): void {
    this.now = now;
    this.#guard.refill(now);
  }

  /** The peer reads again, and so do we: what is not whole could not become so meanwhile. */
  resume(now: number): void {
    this.#sender.resume();
    this.#blocks.waitAnew(now);
    for (const stream of this.#streams.values()) if (!stream.isRequestEnded) stream.waitsSince = now;
  }

  /** Ends what takes too long. */
  tick(now: number): void {
    this.now = now;
    // While we do not read, nothing becomes whole.
    const isReading = !this.#link.isCongested;
    if (isReading) this.#blocks.tick(now);
    for (const stream of this.#sender.blocked) {
      if (now - (stream.pending?.since ?? now) > stallTimeoutMs) this.resetStream(stream.id, errorCode.cancel);
    }
    for (const stream of this.#streams.values()) {
      if (isReading && !stream.isRequestEnded && now - stream.waitsSince > requestTimeoutMs)
        this.resetStream(stream.id, errorCode.cancel);
      else this.#application.tick(stream, now);
    }
  }

  /** The connection is gone. */
  cancelAll(): void {
    this.#isRefusing = true;
    for (const stream of this.#streams.values()) this.#drop(stream);
  }

  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (this.#blocks.open !== 0 && type !== frameType.continuation)
      throw protocolError('a header block is interrupted');
    if (!this.#hasSettings && type !== frameType.settings) throw protocolError('SETTINGS did not come first');
    switch (type) {
      case frameType.data:
        this.#data(flags, streamId, bytes, start, end);
        return;
      case frameType.headers:
        if ((streamId & 1) === 0) throw protocolError('HEADERS are not for a stream of the client');
        this.#blocks.headers(flags, streamId, bytes, start, end);
        return;
      case frameType.continuation:
        this.#blocks.continuation(flags, streamId, bytes, start, end);
        return;
      case frameType.windowUpdate:
        this.#windowUpdate(streamId, bytes, start, end);
        return;
      case frameType.rstStream:
        this.#rstStream(streamId, start, end);
        return;
      case frameType.ping:
        this.#ping(flags, streamId, bytes, start, end);
        return;
      case frameType.settings:
        this.#settings(flags, streamId, bytes, start, end);
        return;
      case frameType.priority:
        this.#priority(streamId, bytes, start, end);
        return;
      case frameType.goaway:
        if (streamId !== 0) throw protocolError('GOAWAY is not for the connection');
        if (end - start < 8) throw frameSizeError('GOAWAY is cut off');
        this.#guard.charge();
        return;
      case frameType.pushPromise:
        throw protocolError('a client may not push');
      default:
        this.#guard.charge();
    }
  }

  block(id: number, isLast: boolean, isWrong: boolean, bytes: Buffer, start: number, end: number): void {
    if (id > this.#lastId) {
      this.#lastId = id;
      this.#open(id, isLast, isWrong, bytes, start, end);
      return;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined && !this.#closed.wasResetByUs(id)) {
      const code = this.#closed.wasClosed(id) ? errorCode.streamClosed : errorCode.protocolError;
      throw new ConnectionError(code, 'HEADERS are for a stream that is over');
    }
    const problem = this.#heads.trailers(bytes, start, end);
    if (stream === undefined) this.#guard.charge();
    else if (stream.isRequestEnded) this.#refuseFrame(id, errorCode.streamClosed);
    // More headers within a request are none of HTTP's (section 8.1), and trailers must keep what was promised of the body.
    else if (problem !== undefined || isWrong || !isLast || stream.contentLeft > 0)
      this.#refuseFrame(id, errorCode.protocolError);
    else {
      stream.isRequestEnded = true;
      this.#application.data(stream, bytes, start, start, true);
    }
  }

  sendAnswer(stream: Http2Stream<Exchange>, head: Uint8Array, message: Uint8Array, trailers: Uint8Array): void {
    this.#sender.answer(stream, head, message, trailers);
    this.#link.wake();
  }

  sendHead(stream: Http2Stream<Exchange>, head: Uint8Array, isLast: boolean): void {
    this.#sender.head(stream, head, isLast);
    this.#link.wake();
  }

  sendMessage(stream: Http2Stream<Exchange>, message: Uint8Array): void {
    this.#sender.message(stream, message);
    this.#link.wake();
  }

  sendEnd(stream: Http2Stream<Exchange>, trailers: Uint8Array): void {
    this.#sender.end(stream, trailers);
    this.#link.wake();
  }

  resetStream(id: number, code: ErrorCode): void {
    writeReset(this.#output, this, id, code);
    this.#closed.add(id, true);
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#drop(stream);
    this.#link.wake();
  }

  write(bytes: Buffer): boolean {
    return this.#link.write(bytes);
  }

  sent(stream: Http2Stream<Exchange>): void {
    this.#close(stream);
    this.#guard.answered();
    // Who was answered before it had said all need not say the rest (section 8.1).
    if (!stream.isRequestEnded) writeReset(this.#output, this, stream.id, errorCode.noError);
    this.#closed.add(stream.id, !stream.isRequestEnded);
  }

  overflowed(stream: Http2Stream<Exchange>): void {
    this.resetStream(stream.id, errorCode.enhanceYourCalm);
  }

  #close(stream: Http2Stream<Exchange>): void {
    stream.isOpen = false;
    if (this.#streams.delete(stream.id)) this.#load.streams--;
  }

  #drop(stream: Http2Stream<Exchange>): void {
    this.#close(stream);
    this.#sender.forget(stream);
    this.#application.cancelled(stream);
  }

  #open(id: number, isLast: boolean, isWrong: boolean, bytes: Buffer, start: number, end: number): void {
    const head = this.#heads.request(bytes, start, end);
    if (this.#isRefusing || this.#streams.size + this.abandoned >= streamsAllowed(this.#load)) {
      this.#guard.charge(price.refusedStream);
      this.resetStream(id, errorCode.refusedStream);
      return;
    }
    const isTooLarge = head === 'too-large';
    const contentLength = typeof head === 'string' ? undefined : head.contentLength;
    if (isWrong || head === 'malformed' || (isLast && (contentLength ?? 0) > 0)) {
      this.#refuseFrame(id, errorCode.protocolError);
      return;
    }
    const stream = new Http2Stream<Exchange>(id, this, this.#sender.initialWindow, contentLength);
    stream.isRequestEnded = isLast;
    this.#streams.set(id, stream);
    this.#load.streams++;
    if (isTooLarge) stream.answerHead(headTooLarge);
    else this.#application.open(stream, head.request, isLast);
  }

  #data(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id === 0) throw protocolError('DATA are for no stream');
    this.#take(end - start);
    const to = end - readPadding(flags, bytes, start, end);
    const from = (flags & frameFlag.padded) === 0 ? start : start + 1;
    const isLast = (flags & frameFlag.endStream) !== 0;
    if (from === to && !isLast) this.#guard.charge();
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.isRequestEnded) {
      this.#lateData(id);
      return;
    }
    stream.taken += end - start;
    if (stream.contentLeft >= 0) {
      stream.contentLeft -= to - from;
      if (stream.contentLeft < 0 || (isLast && stream.contentLeft > 0)) {
        this.#refuseFrame(id, errorCode.protocolError);
        return;
      }
    }
    if (isLast) stream.isRequestEnded = true;
    else if (stream.taken >= streamWindow / 2) {
      writeWindowUpdate(this.#output, this, id, stream.taken);
      stream.taken = 0;
    }
    this.#application.data(stream, bytes, from, to, isLast);
  }

  #lateData(id: number): void {
    if (this.#isUnused(id)) throw protocolError('DATA are for a stream that was never opened');
    // A long message that was refused goes on until the peer has heard it.
    if (!this.#closed.wasResetByUs(id)) this.#refuseFrame(id, errorCode.streamClosed);
  }

  /** What comes in is taken at once and the window opened again whenever half of it is used, so nobody can send more than it allows. */
  #take(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < connectionWindow / 2) return;
    writeWindowUpdate(this.#output, this, 0, this.#taken);
    this.#taken = 0;
  }

  #windowUpdate(id: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw frameSizeError('a WINDOW_UPDATE has a wrong length');
    this.#guard.charge();
    const increment = bytes.readUInt32BE(start) & 0x7fff_ffff;
    if (id === 0) {
      if (increment === 0) throw protocolError('a WINDOW_UPDATE opens nothing');
      this.#sender.openConnection(increment);
      return;
    }
    if (this.#isUnused(id)) throw protocolError('a WINDOW_UPDATE is for a stream that was never opened');
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (increment === 0) this.#refuseFrame(id, errorCode.protocolError);
    else if (!this.#sender.openStream(stream, increment)) this.#refuseFrame(id, errorCode.flowControlError);
  }

  #rstStream(id: number, start: number, end: number): void {
    if (end - start !== 4) throw frameSizeError('a RST_STREAM has a wrong length');
    if (this.#isUnused(id)) throw protocolError('a RST_STREAM is for a stream that was never opened');
    this.#guard.charge();
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (this.now - stream.openedAt < rapidResets.youngMs) this.#guard.chargeReset();
    this.#closed.add(id, false);
    this.#drop(stream);
    this.#link.wake();
  }

  #ping(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id !== 0) throw protocolError('a PING is not for the connection');
    if (end - start !== 8) throw frameSizeError('a PING has a wrong length');
    this.#guard.charge();
    if ((flags & frameFlag.ack) === 0) writePing(this.#output, this, frameFlag.ack, bytes.subarray(start, end));
    else this.#link.pingAcknowledged();
  }

  #settings(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id !== 0) throw protocolError('SETTINGS are not for the connection');
    this.#guard.charge(price.settings);
    if ((flags & frameFlag.ack) !== 0) {
      if (!this.#hasSettings) throw protocolError('SETTINGS did not come first');
      if (end !== start) throw frameSizeError('an acknowledgement of SETTINGS is not empty');
      this.#link.settingsAcknowledged();
      return;
    }
    this.#hasSettings = true;
    const { initialWindow, tableSize } = readSettings(bytes, start, end);
    if (tableSize !== undefined) this.#sender.limitTable(tableSize);
    if (initialWindow !== undefined && initialWindow !== this.#sender.initialWindow) {
      this.#guard.charge(this.#streams.size * price.streamWindow);
      this.#sender.setInitialWindow(initialWindow, this.#streams.values());
    }
    writeSettingsAck(this.#output, this);
    this.#sender.resume();
  }

  /** Priorities change nothing here (section 5.3.2), but a wrong one is still wrong. */
  #priority(id: number, bytes: Buffer, start: number, end: number): void {
    if (id === 0) throw protocolError('a PRIORITY is for no stream');
    this.#guard.charge();
    const isRight = end - start === 5;
    if (isRight && readDependency(bytes, start) !== id) return;
    const code = isRight ? errorCode.protocolError : errorCode.frameSizeError;
    if (this.#isUnused(id)) throw new ConnectionError(code, 'a PRIORITY is wrong');
    this.#refuseFrame(id, code);
  }

  /** A frame of the peer's ends the stream. */
  #refuseFrame(id: number, code: ErrorCode): void {
    this.#guard.chargeReset();
    this.resetStream(id, code);
  }

  #isUnused(id: number): boolean {
    return id > this.#lastId || (id & 1) === 0;
  }
}

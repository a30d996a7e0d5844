import type { Pending, SendingStream } from './sender.ts';
import { errorCode, type ErrorCode } from './protocol.ts';

/** What a stream asks of its connection. */
export interface StreamHost<Exchange> {
  /** Monotonic, milliseconds: when the socket was read last. */
  readonly now: number;
  /** Answers whose stream is gone are still being made: so many. Whoever makes them counts; they take room as streams do. */
  abandoned: number;
  /** Calls whose method keeps their message: so many. Whoever runs methods counts. */
  waiting: number;
  sendAnswer(stream: Http2Stream<Exchange>, head: Uint8Array, message: Uint8Array, trailers: Uint8Array): void;
  sendHead(stream: Http2Stream<Exchange>, head: Uint8Array, isLast: boolean): void;
  sendMessage(stream: Http2Stream<Exchange>, message: Uint8Array): void;
  sendEnd(stream: Http2Stream<Exchange>, trailers: Uint8Array): void;
  resetStream(id: number, code: ErrorCode): void;
}

/** A request and its answer. A class: there is one for each request, and all have one shape. `Exchange` is what whoever answers keeps of it. */
export class Http2Stream<Exchange> implements SendingStream {
  readonly id: number;
  readonly host: StreamHost<Exchange>;
  readonly openedAt: number;
  /** Since when its request could have become whole. */
  waitsSince: number;
  exchange: Exchange | undefined = undefined;
  /** False once it is over, whoever ended it: nothing is sent any more. */
  isOpen = true;
  /** END_STREAM was received. */
  isRequestEnded = false;
  /** What was received since its last WINDOW_UPDATE, bytes. */
  taken = 0;
  /** What `content-length` promised and has not come yet; below zero where nothing was promised. */
  contentLeft: number;
  sendWindow: number;
  pending: Pending | undefined = undefined;

  constructor(id: number, host: StreamHost<Exchange>, sendWindow: number, contentLength: number | undefined) {
    this.id = id;
    this.host = host;
    this.openedAt = host.now;
    this.waitsSince = host.now;
    this.sendWindow = sendWindow;
    this.contentLeft = contentLength ?? -1;
  }

  /** The whole answer: a block of headers, a message (which gets its gRPC prefix), a block of trailers. */
  answer(head: Uint8Array, message: Uint8Array, trailers: Uint8Array): void {
    if (this.isOpen) this.host.sendAnswer(this, head, message, trailers);
  }

  /** The whole answer is this block. */
  answerHead(head: Uint8Array): void {
    if (this.isOpen) this.host.sendHead(this, head, true);
  }

  /** Begins an answer; messages and an end follow. */
  begin(head: Uint8Array): void {
    if (this.isOpen) this.host.sendHead(this, head, false);
  }

  send(message: Uint8Array): void {
    if (this.isOpen) this.host.sendMessage(this, message);
  }

  end(trailers: Uint8Array): void {
    if (this.isOpen) this.host.sendEnd(this, trailers);
  }

  cancel(): void {
    if (this.isOpen) this.host.resetStream(this.id, errorCode.cancel);
  }
}

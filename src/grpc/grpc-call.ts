import type { Clock, Logger } from '../core/ports.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import { answerHead, encodeFailedAnswer, encodeFailure, okTrailers } from './answer-blocks.ts';
import type { AnswerUnary, BoundMethod } from './bind-methods.ts';
import { copyBytes } from './http2/copy-bytes.ts';
import { maxKeptViews } from './http2/limits.ts';
import type { Http2Stream } from './http2/stream.ts';
import { MessageCollector, prefixBytes, type MessageProblem } from './message-collector.ts';
import type { MessageBudget, UnfinishedMessage } from './message-budget.ts';
import type { OpenStreams } from './open-streams.ts';
import type { StatusName } from './status.ts';
import {
  RpcFailure,
  type PeerWork,
  type ServerStream,
  type ServerStreamingMethod,
  type UnaryCall,
} from './transport.ts';

/** What the calls of a connection share. */
export interface CallParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly maxReceiveBytes: number;
  readonly budget: MessageBudget;
  readonly openStreams: OpenStreams;
  readonly peer: PeerWork;
}

/**
 * `reading`: the message is not whole; `working`: the method has not answered; `streaming`: it has opened a stream; `over`: it was answered, or nobody waits.
 */
type State = 'reading' | 'working' | 'streaming' | 'over';

const notRead = [['grpc-accept-encoding', 'identity']] as const;

/** One call, from its head to its last message. A class: there is one for each request, it is its own UnaryCall, and nothing else is made for it. */
export class GrpcCall implements UnaryCall, ServerStream, UnfinishedMessage {
  readonly #stream: Http2Stream<GrpcCall>;
  readonly #parts: CallParts;
  readonly #method: BoundMethod;
  readonly #isCompressed: boolean;
  /** Monotonic, milliseconds. */
  readonly #deadline: number;
  #state: State = 'reading';
  #collector: MessageCollector | undefined = undefined;
  #hasHead = false;
  #onEnd: (() => void) | undefined = undefined;
  onCancelled: (() => void) | undefined = undefined;

  constructor(
    stream: Http2Stream<GrpcCall>,
    method: BoundMethod,
    parts: CallParts,
    timeoutMs: number | undefined,
    isCompressed: boolean,
  ) {
    this.#stream = stream;
    this.#method = method;
    this.#parts = parts;
    this.#isCompressed = isCompressed;
    this.#deadline = timeoutMs === undefined ? Infinity : stream.openedAt + timeoutMs;
  }

  get remainingMs(): number | undefined {
    return this.#deadline === Infinity ? undefined : this.#deadline - this.#parts.clock.monotonic();
  }

  get cancelled(): boolean {
    return !this.#stream.isOpen;
  }

  get peer(): PeerWork {
    return this.#parts.peer;
  }

  /** A piece of the request. Nearly every request has one, and its message is given on as it lies there. */
  data(bytes: Buffer, start: number, end: number, isEnded: boolean): void {
    if (this.#state !== 'reading') return;
    if (isEnded && this.#collector === undefined && this.#isMessage(bytes, start, end)) {
      const from = start + prefixBytes;
      const mayKeepView = this.#stream.host.waiting < maxKeptViews;
      this.#run(mayKeepView ? bytes.subarray(from, end) : copyBytes(bytes, from, end));
      return;
    }
    this.#collector ??= new MessageCollector(this.#parts.maxReceiveBytes, this.#parts.budget, this);
    const problem = this.#collector.add(bytes, start, end);
    if (problem !== undefined) {
      this.#refuse(problem);
      return;
    }
    if (!isEnded) return;
    const message = this.#collector.take();
    if (message === undefined) this.#refuse('not-one');
    else this.#run(message);
  }

  /** Its message makes room for others. */
  giveUp(): void {
    if (this.#state === 'reading') this.#refuse('no-room');
  }

  /** Nobody waits any more. */
  cancel(): void {
    switch (this.#state) {
      case 'reading':
        this.#state = 'over';
        this.#release();
        return;
      case 'working':
        this.#abandon();
        return;
      case 'streaming':
        this.#closeStream();
        return;
      case 'over':
    }
  }

  tick(now: number): void {
    if (now <= this.#deadline || this.#state === 'over') return;
    const wasWorking = this.#state === 'working';
    this.#fail('DEADLINE_EXCEEDED', 'The deadline of the caller has passed.');
    if (wasWorking) this.#abandon();
    else if (this.#state === 'streaming') this.#closeStream();
    else this.cancel();
  }

  send(message: Uint8Array): void {
    if (this.#state === 'over') return;
    if (!this.#hasHead) this.#stream.begin(answerHead);
    this.#hasHead = true;
    this.#stream.send(message);
  }

  /** Ends a stream. Within `open` its method has nothing to be closed yet. */
  end(failure: RpcFailure): void {
    if (this.#state === 'over') return;
    this.#fail(failure.status, failure.message);
    this.#closeStream();
  }

  /** The method works on, and its work takes room until it is done. */
  #abandon(): void {
    this.#stream.host.abandoned++;
    const tell = this.onCancelled;
    this.onCancelled = undefined;
    tell?.();
  }

  #isMessage(bytes: Buffer, start: number, end: number): boolean {
    const length = end - start - prefixBytes;
    return (
      length >= 0 &&
      length <= this.#parts.maxReceiveBytes &&
      bytes[start] === 0 &&
      bytes.readUInt32BE(start + 1) === length
    );
  }

  #run(message: Uint8Array): void {
    if (this.#stream.host.now > this.#deadline) {
      this.#state = 'over';
      this.#release();
      this.#fail('DEADLINE_EXCEEDED', 'The deadline of the caller has passed.');
    } else if (this.#method.kind === 'unary') this.#runUnary(this.#method.answer, message);
    // A stream may last for hours, and keep its message.
    else this.#open(this.#method, Uint8Array.from(message));
  }

  #runUnary(answerUnary: AnswerUnary, message: Uint8Array): void {
    this.#state = 'working';
    let answer: Uint8Array | Promise<Uint8Array>;
    try {
      answer = answerUnary(message, this);
    } catch (thrown) {
      this.#settle(undefined, thrown);
      return;
    }
    if (answer instanceof Promise) this.#wait(answer);
    else this.#settle(answer, undefined);
  }

  #wait(answer: Promise<Uint8Array>): void {
    const { host } = this.#stream;
    host.waiting++;
    answer.then(
      (bytes) => {
        host.waiting--;
        this.#settle(bytes, undefined);
      },
      (thrown: unknown) => {
        host.waiting--;
        this.#settle(undefined, thrown);
      },
    );
  }

  #settle(answer: Uint8Array | undefined, thrown: unknown): void {
    this.#state = 'over';
    this.#release();
    if (!this.#stream.isOpen) this.#stream.host.abandoned--;
    else if (answer === undefined) this.#failBy(thrown);
    else this.#stream.answer(answerHead, answer, okTrailers);
  }

  #open(method: ServerStreamingMethod, message: Uint8Array): void {
    const refusal = this.#parts.openStreams.refusal();
    this.#state = refusal === undefined ? 'streaming' : 'over';
    try {
      if (refusal !== undefined) throw refusal;
      const onEnd = method.open(message, this);
      this.#release();
      // It may have ended within.
      if (this.#isOver()) onEnd();
      else {
        this.#onEnd = onEnd;
        this.#parts.openStreams.add(this);
      }
    } catch (thrown) {
      this.#state = 'over';
      this.#release();
      if (!(thrown instanceof RpcFailure)) this.#parts.log.error(thrownFields(thrown), 'a stream could not be opened');
      this.#failBy(thrown);
    }
  }

  #isOver(): boolean {
    return this.#state === 'over';
  }

  #closeStream(): void {
    this.#state = 'over';
    this.#parts.openStreams.delete(this);
    const onEnd = this.#onEnd;
    this.#onEnd = undefined;
    try {
      onEnd?.();
    } catch (thrown) {
      this.#parts.log.error(thrownFields(thrown), 'a stream could not be closed');
    }
  }

  #refuse(problem: MessageProblem): void {
    this.#state = 'over';
    this.#release();
    switch (problem) {
      case 'compressed':
        if (this.#isCompressed) this.#fail('UNIMPLEMENTED', 'Compressed messages are not read.', notRead);
        else this.#fail('INTERNAL', 'The message is compressed, and grpc-encoding does not say how.');
        return;
      case 'too-large':
        this.#fail('RESOURCE_EXHAUSTED', 'The message is longer than what is received.');
        return;
      case 'no-room':
        this.#refuseForRoom();
        return;
      case 'not-one':
        this.#fail('UNIMPLEMENTED', 'The method takes one whole message.');
    }
  }

  /** What the method answers where it fails: it is the others on their way that keep the message out, and no mistake of the caller's. */
  #refuseForRoom(): void {
    const fallback = this.#method.kind === 'unary' ? this.#method.fallback : undefined;
    if (fallback === undefined) this.#fail('RESOURCE_EXHAUSTED', 'Too many long messages at once.');
    else this.#stream.answer(answerHead, fallback, okTrailers);
  }

  /** The text of errors that are not ours stays here. */
  #failBy(thrown: unknown): void {
    if (thrown instanceof RpcFailure) this.#fail(thrown.status, thrown.message);
    else this.#fail('INTERNAL', 'The method failed.');
  }

  #fail(status: StatusName, message: string, more: readonly (readonly [string, string])[] = []): void {
    if (this.#hasHead) this.#stream.end(encodeFailure(status, message));
    else this.#stream.answerHead(encodeFailedAnswer(status, message, more));
  }

  #release(): void {
    this.#collector?.release();
    this.#collector = undefined;
  }
}

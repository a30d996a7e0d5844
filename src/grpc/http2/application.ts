import type { RequestHead } from './request-head.ts';
import type { Http2Stream } from './stream.ts';

/** Who answers requests. What it throws ends the connection, so it throws nothing that a request can cause. */
export interface Http2Application<Request, Exchange> {
  /** What becomes of a head; asked once for many requests that have the same one. */
  readHead(head: RequestHead): Request;
  /** A request begins. `isEnded`: it has no body. */
  open(stream: Http2Stream<Exchange>, request: Request, isEnded: boolean): void;
  /** A piece of the body, a view that is valid during the call. `isEnded`: it was the last one, and it may be empty then. */
  data(stream: Http2Stream<Exchange>, bytes: Buffer, start: number, end: number, isEnded: boolean): void;
  /** Nobody waits for the answer any more: the peer has reset the stream, we had to, or the connection is gone. */
  cancelled(stream: Http2Stream<Exchange>): void;
  /** Comes for every stream four times a second; monotonic, milliseconds. */
  tick(stream: Http2Stream<Exchange>, now: number): void;
}

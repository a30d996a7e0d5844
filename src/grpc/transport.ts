import { Failure } from '../core/failure.ts';
import type { Clock, Logger, Timers } from '../core/ports.ts';
import type { TakeConnection } from '../std/listen.ts';

/** A gRPC server as our services see it: bytes in, bytes out. It knows nothing of what they mean. */
export interface Transport {
  /**
   * Listens on `host:port` (port 0 for any free one, IPv6 in brackets) or `unix:PATH` and answers what is bound in the same form.
   * Throws a Failure: `address_invalid`, `address_in_use`, `address_forbidden`, `address_unavailable`.
   */
  listen(address: string): Promise<string>;
  /** Takes a connection that somebody else accepted, as if it had been accepted here. */
  readonly take: TakeConnection;
  /**
   * Accepts nothing new, ends streams with UNAVAILABLE and waits until every call is answered: `drained`. After `timeoutMs` what
   * is left is cut off: `forced`.
   */
  drain(timeoutMs: number): Promise<'drained' | 'forced'>;
  /** Cuts off whatever there is. */
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** The longest message that is received, bytes; 16 MiB where it is not given (a proxy may send bodies along). */
  readonly maxReceiveBytes?: number;
  /** File mode of a unix socket; 0660 where it is not given. */
  readonly unixSocketMode?: number;
  /**
   * How connections are secured: it gets what takes a secured connection, and answers what takes a fresh one. Cleartext HTTP/2 where it
   * is not given.
   */
  readonly secure?: ((handOver: TakeConnection) => TakeConnection) | undefined;
}

export const defaultMaxReceiveBytes = 16 * 1024 * 1024;

export type Method = UnaryMethod | ServerStreamingMethod;

/** One message for one message. */
export interface UnaryMethod {
  readonly kind: 'unary';
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Answered where `handle` throws or rejects; without it such a call ends as a gRPC error. */
  readonly fallback: Uint8Array | undefined;
  /**
   * What is answered at once is sent at once. May throw an RpcFailure to end the call with its status. The bytes of the request belong to the
   * call: no transport changes or uses them again.
   */
  handle(request: Uint8Array, call: UnaryCall): Uint8Array | Promise<Uint8Array>;
}

export interface UnaryCall {
  /** Milliseconds until the caller no longer waits (grpc-timeout), below zero once past; undefined where it waits for ever. */
  readonly remainingMs: number | undefined;
  /** True once nobody waits for the answer any more. */
  readonly cancelled: boolean;
  /** Called when that happens, once, where the method has set it; it throws nothing. */
  onCancelled?: (() => void) | undefined;
  /** Of the connection that the call came by; undefined where the transport cannot tell connections apart. */
  readonly peer: PeerWork | undefined;
}

/** What one connection has made methods do that is not done: the methods count, so that one connection does not have all the room. */
export interface PeerWork {
  count: number;
  bytes: number;
}

/** One message for any number of messages. */
export interface ServerStreamingMethod {
  readonly kind: 'server-streaming';
  readonly path: string;
  /** Begins a stream; what it returns is called once when the stream has ended, whoever ended it. May throw an RpcFailure. */
  open(request: Uint8Array, stream: ServerStream): () => void;
}

export interface ServerStream {
  send(message: Uint8Array): void;
  end(failure: RpcFailure): void;
}

/** The statuses of gRPC that a service of ours may end a call with. */
export type RpcStatus = 'INVALID_ARGUMENT' | 'NOT_FOUND' | 'RESOURCE_EXHAUSTED' | 'INTERNAL' | 'UNAVAILABLE';

/** Ends a call with a gRPC status. Never for Check, where a proxy may read any error as an allow. */
export class RpcFailure extends Failure {
  readonly status: RpcStatus;

  constructor(status: RpcStatus, message: string) {
    super('rpc', message);
    this.name = 'RpcFailure';
    this.status = status;
  }
}

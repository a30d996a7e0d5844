import {
  status,
  type ServerErrorResponse,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { Clock, Logger } from '../core/ports.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import { compileAnswer } from '../grpc/bind-methods.ts';
import {
  RpcFailure,
  type Method,
  type ServerStreamingMethod,
  type UnaryCall,
  type UnaryMethod,
} from '../grpc/transport.ts';

export interface GrpcJsHandlers {
  /** Handlers as grpc-js takes them, by the method's path. */
  readonly byPath: UntypedServiceImplementation;
  /** Ends every open stream with UNAVAILABLE, and any that opens later. */
  endStreams(): void;
}

/** Our methods as handlers of grpc-js. */
export function compileGrpcJsHandlers(methods: readonly Method[], clock: Clock, log: Logger): GrpcJsHandlers {
  const streams = new StreamHandlers(log);
  const byPath: UntypedServiceImplementation = {};
  for (const method of methods) {
    byPath[method.path] =
      method.kind === 'unary' ? unaryHandler(method, clock, log) : (call: StreamCall) => streams.open(method, call);
  }
  return { byPath, endStreams: () => streams.endAll() };
}

type Call = ServerUnaryCall<Uint8Array, Uint8Array>;
type StreamCall = ServerWritableStream<Uint8Array, Uint8Array>;

function unaryHandler(method: UnaryMethod, clock: Clock, log: Logger) {
  const answerCall = compileAnswer(method, log);
  return (call: Call, callback: sendUnaryData<Uint8Array>): void => {
    const send = (answer: Uint8Array): void => callback(null, answer);
    const fail = (thrown: unknown): void => callback(toStatus(thrown));
    let answer: Uint8Array | Promise<Uint8Array>;
    try {
      answer = answerCall(call.request, new GrpcJsCall(call, clock));
    } catch (thrown) {
      fail(thrown);
      return;
    }
    if (answer instanceof Promise) answer.then(send, fail);
    else send(answer);
  };
}

class GrpcJsCall implements UnaryCall {
  /** The library does not say which connection it was. */
  readonly peer = undefined;
  readonly #call: Call;
  readonly #clock: Clock;

  constructor(call: Call, clock: Clock) {
    this.#call = call;
    this.#clock = clock;
  }

  get remainingMs(): number | undefined {
    const deadline = Number(this.#call.getDeadline());
    return Number.isFinite(deadline) ? deadline - this.#clock.now() : undefined;
  }

  get cancelled(): boolean {
    return this.#call.cancelled;
  }

  set onCancelled(tell: (() => void) | undefined) {
    if (tell !== undefined) this.#call.once('cancelled', tell);
  }
}

/** The open streams, so that a drain need not wait for clients that watch for ever. */
class StreamHandlers {
  readonly #log: Logger;
  readonly #open = new Set<(failure: RpcFailure) => void>();
  #draining = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  open(method: ServerStreamingMethod, call: StreamCall): void {
    const end = (failure: RpcFailure): void => void call.emit('error', toStatus(failure));
    if (this.#draining) {
      end(shuttingDown());
      return;
    }
    try {
      const onEnd = method.open(call.request, { send: (message) => void call.write(message), end });
      this.#open.add(end);
      call.once('close', () => {
        this.#open.delete(end);
        onEnd();
      });
    } catch (thrown) {
      if (!(thrown instanceof RpcFailure)) this.#log.error(thrownFields(thrown), 'a stream could not be opened');
      call.emit('error', toStatus(thrown));
    }
  }

  endAll(): void {
    this.#draining = true;
    for (const end of this.#open) end(shuttingDown());
  }
}

function shuttingDown(): RpcFailure {
  return new RpcFailure('UNAVAILABLE', 'The server is shutting down.');
}

/** The status that ends a call; text of errors that are not ours stays here. */
function toStatus(thrown: unknown): ServerErrorResponse {
  if (!(thrown instanceof RpcFailure)) return toStatus(new RpcFailure('INTERNAL', 'The method failed.'));
  return { name: thrown.name, message: thrown.message, details: thrown.message, code: status[thrown.status] };
}

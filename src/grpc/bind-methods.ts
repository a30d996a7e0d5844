import type { Logger } from '../core/ports.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import type { Method, ServerStreamingMethod, UnaryCall, UnaryMethod } from './transport.ts';

/** A method as a transport calls it. */
export type BoundMethod = BoundUnaryMethod | ServerStreamingMethod;

export interface BoundUnaryMethod extends Pick<UnaryMethod, 'kind' | 'fallback'> {
  readonly answer: AnswerUnary;
}

/** What the method answers, or its fallback where it has one; else throws or rejects with what the method did. */
export type AnswerUnary = (request: Uint8Array, call: UnaryCall) => Uint8Array | Promise<Uint8Array>;

/** The methods by their path. */
export function bindMethods(methods: readonly Method[], log: Logger): ReadonlyMap<string, BoundMethod> {
  return new Map(
    methods.map((method) => [
      method.path,
      method.kind === 'unary'
        ? { kind: method.kind, fallback: method.fallback, answer: compileAnswer(method, log) }
        : method,
    ]),
  );
}

export function compileAnswer(method: UnaryMethod, log: Logger): AnswerUnary {
  const rescue = (thrown: unknown): Uint8Array => {
    if (method.fallback === undefined) throw thrown;
    log.error(thrownFields(thrown), 'a method failed and its fallback is answered');
    return method.fallback;
  };
  return (request, call) => {
    try {
      const answer = method.handle(request, call);
      return answer instanceof Promise ? answer.then(bytesOnly).catch(rescue) : bytesOnly(answer);
    } catch (thrown) {
      return rescue(thrown);
    }
  };
}

function bytesOnly(answer: Uint8Array): Uint8Array {
  if (!(answer instanceof Uint8Array)) throw new TypeError('a method must answer bytes');
  return answer;
}

import type { Decision } from '../core/decision.ts';
import type { Authorizer, Logger, Timers } from '../core/ports.ts';
import type { CheckRequestDecoder } from './decode-check-request.ts';
import { encodeDecision, type CheckResponseEncoder } from './encode-check-response.ts';
import { lastResortDeny } from './last-resort.ts';
import { thrownFields } from './thrown-fields.ts';
import type { UnaryCall, UnaryMethod } from './transport.ts';

export interface CheckServiceOptions {
  readonly authorizer: Authorizer;
  readonly decoder: CheckRequestDecoder;
  readonly encoder: CheckResponseEncoder;
  readonly timers: Timers;
  readonly log: Logger;
  /** The longest that a decision may take, milliseconds; 5000 where it is not given. */
  readonly checkTimeoutMs?: number;
}

export const checkPath = '/envoy.service.auth.v3.Authorization/Check';

/**
 * The method Check. Whatever happens inside, the answer is a CheckResponse that says allow or deny: a proxy with
 * `failure_mode_allow` reads a gRPC error as an allow. Answers at once where the decision is there at once.
 */
export function checkService(options: CheckServiceOptions): UnaryMethod {
  const service = new CheckService(options);
  return {
    kind: 'unary',
    path: checkPath,
    fallback: lastResortDeny,
    handle: (request, call) => service.handle(request, call),
  };
}

class CheckService {
  readonly #options: CheckServiceOptions;
  readonly #checkTimeoutMs: number;

  constructor(options: CheckServiceOptions) {
    this.#options = options;
    this.#checkTimeoutMs = options.checkTimeoutMs ?? 5000;
  }

  handle(bytes: Uint8Array, call: UnaryCall): Uint8Array | Promise<Uint8Array> {
    // Nobody reads the answer: under overload a decision less is time for one that is still waited for.
    if (call.cancelled) return lastResortDeny;
    try {
      const decoded = this.#options.decoder.decode(bytes);
      if (decoded.kind === 'undecodable') {
        this.#options.log.warn({ why: decoded.why, bytes: bytes.length }, 'a check could not be decoded');
        return this.#refuse('request_undecodable');
      }
      const { target } = decoded.request;
      const decision = this.#options.authorizer.check(decoded.request);
      if (decision instanceof Promise) return this.#inTime(decision, target, call);
      return this.#answer(decision, target);
    } catch (thrown) {
      return this.#failed(thrown);
    }
  }

  /** The decision's answer, or that of its absence once the time is over. Never rejects. */
  #inTime(decision: Promise<Decision>, target: string, call: UnaryCall): Promise<Uint8Array> {
    return new Promise((resolve) => {
      let answered = false;
      const once = (answer: () => Uint8Array): void => {
        if (answered) return;
        answered = true;
        cancelTimer();
        resolve(answer());
      };
      const cancelTimer = this.#options.timers.after(checkBudget(this.#checkTimeoutMs, call.remainingMs), () => {
        once(() => this.#refuse('deadline_exceeded'));
      });
      decision.then(
        (decided) => once(() => this.#answer(decided, target)),
        (thrown: unknown) => once(() => this.#failed(thrown)),
      );
    });
  }

  #answer(decision: Decision, target: string): Uint8Array {
    try {
      return encodeDecision(this.#options.encoder, decision, target);
    } catch (thrown) {
      return this.#failed(thrown);
    }
  }

  #failed(thrown: unknown): Uint8Array {
    try {
      this.#options.log.error(thrownFields(thrown), 'a check failed and is denied');
    } catch {
      // A log that fails changes no answer.
    }
    return this.#refuse('internal_error');
  }

  #refuse(code: Parameters<Authorizer['refuse']>[0]): Uint8Array {
    try {
      const refusal = this.#options.authorizer.refuse(code);
      return refusal.kind === 'deny' ? this.#options.encoder.deny(refusal) : lastResortDeny;
    } catch {
      return lastResortDeny;
    }
  }
}

/**
 * How long a decision may take, milliseconds: the setting, or what is left of the caller's time less a tenth of it (5 to 100 ms)
 * for the answer's way, so that it is our deny that arrives and not the caller's own time-out.
 */
export function checkBudget(checkTimeoutMs: number, remainingMs: number | undefined): number {
  if (remainingMs === undefined) return checkTimeoutMs;
  const margin = Math.min(100, Math.max(5, remainingMs / 10));
  return Math.max(0, Math.min(checkTimeoutMs, remainingMs - margin));
}

import type { Decision } from '../core/decision.ts';
import type { Authorizer, Clock, DecisionSink, Logger, Timers } from '../core/ports.ts';
import type { CheckRequestDecoder } from './decode-check-request.ts';
import { DecisionLoad, HeldDecision } from './decision-load.ts';
import { encodeDecision, type CheckResponseEncoder } from './encode-check-response.ts';
import { lastResortDeny } from './last-resort.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import { defaultMaxReceiveBytes, type UnaryCall, type UnaryMethod } from '../grpc/transport.ts';

export interface CheckServiceOptions {
  readonly authorizer: Authorizer;
  readonly decoder: CheckRequestDecoder;
  readonly encoder: CheckResponseEncoder;
  readonly timers: Timers;
  readonly clock: Clock;
  /** Told of each decision as it is answered: of the deny where an allow could not be written or came too late. */
  readonly decisions: DecisionSink;
  readonly log: Logger;
  /** The longest that a decision may take, milliseconds; 5000 where it is not given. */
  readonly checkTimeoutMs?: number;
  /** The longest message that comes, as `TransportOptions` has it. */
  readonly maxReceiveBytes?: number;
  /** Only for `--shadow-all`: the authorizer may allow what could not even be decided. */
  readonly dangerouslyAllowRefusals?: boolean;
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
  readonly #load: DecisionLoad;

  constructor(options: CheckServiceOptions) {
    this.#options = options;
    this.#load = new DecisionLoad(options.maxReceiveBytes ?? defaultMaxReceiveBytes);
    this.#checkTimeoutMs = options.checkTimeoutMs ?? 5000;
  }

  handle(bytes: Uint8Array, call: UnaryCall): Uint8Array | Promise<Uint8Array> {
    // Nobody reads the answer: under overload a decision less is time for one that is still waited for.
    if (call.cancelled) return lastResortDeny;
    const { authorizer, clock, decoder, log } = this.#options;
    let check: Check = { target: '', startedAt: 0 };
    try {
      check = { target: '', startedAt: clock.monotonic() };
      const room = this.#load.roomFor(call.peer);
      if (room === 'over') return this.#refuse('overloaded', check);
      const decoded = decoder.decode(bytes);
      if (decoded.kind === 'undecodable') {
        log.warn({ why: decoded.why, bytes: bytes.length }, 'a check could not be decoded');
        return this.#refuse('request_undecodable', check);
      }
      check = { target: decoded.request.target, startedAt: check.startedAt };
      const decision = authorizer.check(decoded.request, room === 'free');
      if (!(decision instanceof Promise)) return this.#answer(decision, check);
      const held = new HeldDecision(this.#load, call.peer, decoded.message, bytes.length);
      if (room === 'free') return this.#inTime(decision, held, check, call);
      const settled = (): void => held.end();
      decision.then(settled, settled);
      held.letGo();
      return this.#refuse('overloaded', check);
    } catch (thrown) {
      return this.#failed(thrown, check);
    }
  }

  /** The decision's answer, or that of its absence once the time is over. Never rejects. */
  #inTime(decision: Promise<Decision>, held: HeldDecision, check: Check, call: UnaryCall): Promise<Uint8Array> {
    return new Promise((resolve) => {
      let answered = false;
      const once = (answer: () => Uint8Array): void => {
        if (answered) return;
        answered = true;
        cancelTimer();
        call.onCancelled = undefined;
        resolve(answer());
      };
      const cancelTimer = this.#options.timers.after(checkBudget(this.#checkTimeoutMs, call.remainingMs), () => {
        held.letGo();
        once(() => this.#refuse('deadline_exceeded', check));
      });
      // The call gives its place back; the decision is counted until it is there.
      call.onCancelled = () => {
        held.letGo();
        once(() => lastResortDeny);
      };
      decision.then(
        (decided) => {
          held.end();
          once(() => this.#answer(decided, check));
        },
        (thrown: unknown) => {
          held.end();
          once(() => this.#failed(thrown, check));
        },
      );
    });
  }

  #answer(decision: Decision, check: Check): Uint8Array {
    try {
      const bytes = encodeDecision(this.#options.encoder, decision, check.target);
      this.#record(decision, check);
      return bytes;
    } catch (thrown) {
      return this.#failed(thrown, check);
    }
  }

  #failed(thrown: unknown, check: Check): Uint8Array {
    this.#logError(thrown, 'a check failed and is denied');
    return this.#refuse('internal_error', check);
  }

  #refuse(code: Parameters<Authorizer['refuse']>[0], check: Check): Uint8Array {
    try {
      const refusal = this.#options.authorizer.refuse(code);
      if (refusal.kind !== 'deny' && this.#options.dangerouslyAllowRefusals !== true) return lastResortDeny;
      const bytes = encodeDecision(this.#options.encoder, refusal, '');
      this.#record(refusal, check);
      return bytes;
    } catch {
      return lastResortDeny;
    }
  }

  /** A sink that fails changes no answer. */
  #record(decision: Decision, { startedAt }: Check): void {
    try {
      const { clock, decisions } = this.#options;
      decisions.record(decision, decision.about.request, clock.monotonic() - startedAt);
    } catch (thrown) {
      this.#logError(thrown, 'a decision could not be recorded');
    }
  }

  #logError(thrown: unknown, message: string): void {
    try {
      this.#options.log.error(thrownFields(thrown), message);
    } catch {
      // Nor does a log.
    }
  }
}

/** What is kept of a check until it is answered. */
interface Check {
  readonly target: string;
  /** By the monotonic clock, milliseconds. */
  readonly startedAt: number;
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

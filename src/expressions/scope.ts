import { anonymous, type Identity } from '../core/identity.ts';
import type { JsonObject } from '../core/json.ts';
import type { ExpressionPlace } from '../core/ports.ts';
import type { Request, RequestRoute } from '../core/request.ts';
import { compileOnce } from '../std/shared-values.ts';
import { limits } from './limits.ts';
import { fromObject } from './values/from-json.ts';
import { Timestamp, type MapValue, type Value } from './values/value.ts';
import { headersMap, queryMap, textMap } from './values/request-maps.ts';

/** What one evaluation sees. Plain and cheap to make; what is dear to read of a request is read once, where an expression asks. */
export interface Scope {
  readonly request: RequestScope;
  readonly identity: Identity;
  /** Who connects; undefined where no provider looked at the connection. */
  readonly peer: Identity | undefined;
  /** The route that the proxy chose; undefined where it does not say. */
  readonly route: RequestRoute | undefined;
  readonly policy: PolicyScope;
}

export interface PolicyScope {
  readonly namespace: string;
  readonly name: string;
  /** The rule that asks. */
  readonly rule: string;
}

/** The request of one check; what is dear of it is made where an expression asks. Share it among the scopes of a check's rules. */
export class RequestScope {
  readonly request: Request;
  /** The id of the decision. */
  readonly id: string;
  /** Units of work that the evaluations of the check may still do; below zero every further one is an error. */
  workLeft: number = limits.workOfCheck;
  /** When the check came, milliseconds since the epoch. */
  readonly #time: number;
  /** Told of evaluations that gave no value. */
  readonly noteFailure: (place: ExpressionPlace) => void;
  #timestamp: Timestamp | undefined;
  #headers: MapValue | undefined;
  #query: MapValue | undefined;
  #context: MapValue | undefined;

  constructor(request: Request, id: string, time: number, noteFailure: (place: ExpressionPlace) => void = ignore) {
    this.request = request;
    this.id = id;
    this.#time = time;
    this.noteFailure = noteFailure;
  }

  /** True where the evaluations of the check asked for more work than it may cost. */
  get isExhausted(): boolean {
    return this.workLeft < 0;
  }

  get time(): Timestamp {
    return (this.#timestamp ??= new Timestamp(BigInt(Math.trunc(this.#time)) * 1_000_000n));
  }

  get headers(): MapValue {
    return (this.#headers ??= headersMap(this.request.headers));
  }

  get query(): MapValue {
    return (this.#query ??= queryMap(this.request.query));
  }

  get context(): MapValue {
    return (this.#context ??= textMap(this.request.contextExtensions));
  }
}

function ignore(): void {}

/** The scope of a `deniedCondition`, which can name the request alone (S15). */
export function requestOnly(request: RequestScope): Scope {
  return { request, identity: anonymous, peer: undefined, route: undefined, policy: noPolicy };
}

const noPolicy: PolicyScope = { namespace: '', name: '', rule: '' };

/** Claims belong to a token, which is seen again and again: they are converted once. */
export const claimsMap = compileOnce((claims: JsonObject): Value => fromObject(claims));

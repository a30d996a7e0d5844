import { isJsonObject, ownMember, type JsonValue } from '../core/json.ts';
import { reasons, type ReasonCode } from '../core/reason.ts';
import type { Expected } from './samples.ts';

/** What came of one request, whichever way it went. */
export type Outcome =
  | {
      readonly decision: 'allow';
      readonly status: number;
      /** The request headers as the upstream has them, by lower-case name. */
      readonly upstream: ReadonlyMap<string, string>;
    }
  | {
      readonly decision: 'deny';
      readonly status: number;
      /** Undefined where the answer does not say it as Portcullis does: then it is somebody else's, such as the proxy's own. */
      readonly code: ReasonCode | undefined;
      readonly message: string;
    };

/** Reads an answer that came through the proxy: the upstream's echo is an allow, everything else a deny. */
export function outcomeOfAnswer(status: number, body: string): Outcome {
  const echoed = status === 200 ? echoedHeaders(parsed(body)) : undefined;
  return echoed === undefined ? outcomeOfDenial(status, body) : { decision: 'allow', status, upstream: echoed };
}

/** Reads the body of a denial: `{"error": CODE, "message": …}`. */
export function outcomeOfDenial(status: number, body: string): Outcome {
  const denial = parsed(body);
  if (!isJsonObject(denial)) return { decision: 'deny', status, code: undefined, message: body.trim() };
  const code = ownMember(denial, 'error');
  const message = ownMember(denial, 'message');
  return { decision: 'deny', status, code: toReason(code), message: typeof message === 'string' ? message : '' };
}

/** What is not as expected, in words; empty where all is. */
export function differences(expected: Expected, outcome: Outcome): readonly string[] {
  if (expected.decision === 'deny') {
    if (outcome.decision === 'allow') return [`expected ${expected.status} ${expected.code}, and it was allowed`];
    if (outcome.status === expected.status && outcome.code === expected.code) return [];
    return [`expected ${expected.status} ${expected.code}, got ${outcome.status} ${outcome.code ?? outcome.message}`];
  }
  if (outcome.decision === 'deny')
    return [`expected an allow, got ${outcome.status} ${outcome.code ?? outcome.message}`];
  return Object.entries(expected.upstream).flatMap(([name, value]) => {
    const seen = outcome.upstream.get(name);
    return seen === value ? [] : [`expected ${shown(name, value)} at the upstream, got ${shown(name, seen)}`];
  });
}

function shown(name: string, value: string | undefined): string {
  return value === undefined ? `no ${name}` : `${name}: ${value}`;
}

function parsed(body: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(body);
    return value;
  } catch {
    return undefined;
  }
}

function toReason(code: JsonValue | undefined): ReasonCode | undefined {
  return typeof code === 'string' && isReason(code) ? code : undefined;
}

function isReason(code: string): code is ReasonCode {
  return Object.hasOwn(reasons, code);
}

/** The headers of the upstream's echo; undefined where the body is not one. */
function echoedHeaders(body: JsonValue | undefined): ReadonlyMap<string, string> | undefined {
  const headers = isJsonObject(body) ? ownMember(body, 'headers') : undefined;
  if (!isJsonObject(headers)) return undefined;
  const values = Object.entries(headers).map(([name, list]): readonly [string, string] => [
    name,
    Array.isArray(list) ? list.join(',') : '',
  ]);
  return new Map(values);
}

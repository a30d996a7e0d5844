import { Failure } from '../core/failure.ts';
import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../core/json.ts';
import { createCheckClient, type CheckAnswer } from '../envoy/check-client.ts';
import type { AskService, CheckReport } from './check-report.ts';
import { diagnoseConnection } from './diagnose-connection.ts';
import { systemClock } from './system-ports.ts';

/** For each step of the diagnosis. */
const diagnosisMs = 2000;

export const askService: AskService = async (address, request, options) => {
  const client = createCheckClient(address, { clock: systemClock, ...options });
  try {
    return toCheckReport(await client.check(request));
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.code !== 'no_answer') throw thrown;
    const why = await diagnoseConnection(address, options.tls, Math.min(options.timeoutMs, diagnosisMs));
    throw why === undefined ? thrown : new Failure('no_answer', why, { cause: thrown });
  } finally {
    client.close();
  }
};

/** What an answer says of its decision: the metadata says it of every one, the body of a denial that no policy dresses. */
export function toCheckReport({ allowed, body, metadata, ...answer }: CheckAnswer): CheckReport {
  const said = parsed(body);
  const code = textAt(metadata, 'code') ?? textAt(said, 'error');
  return {
    decision: allowed ? 'allow' : 'deny',
    status: answer.status,
    code: allowed ? undefined : code,
    message: textAt(said, 'message'),
    decisionId: textAt(metadata, 'decision_id') ?? textAt(said, 'decision'),
    policy: textAt(metadata, 'policy') || undefined,
    rule: textAt(metadata, 'rule') || undefined,
    setHeaders: answer.setHeaders,
    removeHeaders: answer.removeHeaders,
    removeQueryParameters: answer.removeQueryParameters,
    responseHeaders: answer.responseHeaders,
    body,
    metadata,
  };
}

function parsed(body: string): JsonObject {
  try {
    const value: JsonValue = JSON.parse(body);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

function textAt(object: JsonObject, name: string): string | undefined {
  const member = ownMember(object, name);
  return typeof member === 'string' ? member : undefined;
}

import { Failure } from '../../../core/failure.ts';
import { isJsonObject, ownMember, type JsonObject } from '../../../core/json.ts';
import type { HttpResponse } from '../../../core/ports.ts';
import { parseStrictJsonBytes } from '../../../std/strict-json.ts';

/** What an endpoint can do wrong; codes of Failures. The latter two may be the fault of one token, the others are the endpoint's. */
export type AnswerFailureCode =
  | 'introspection_client'
  | 'introspection_status'
  | 'introspection_answer'
  | 'introspection_rejected'
  | 'introspection_reused';

/** RFC 9701 4: how an answer that is a JWT is asked for and comes. */
export const signedType = 'application/token-introspection+jwt';
export const jsonType = 'application/json';

/** Throws a Failure for an answer that says nothing of the token: its status, or its content type. */
export function judgeResponse({ status, contentType }: HttpResponse, wanted: string): void {
  if (status === 401 || status === 403)
    throw fail(
      'introspection_client',
      `refuses our client (status ${status}): look at the Secret, and at what the client may do`,
    );
  if (status >= 400 && status < 500 && status !== 429)
    throw fail('introspection_rejected', `answers with status ${status}`);
  if (status !== 200) throw fail('introspection_status', `answers with status ${status}`);
  const [type = ''] = contentType.split(';', 1);
  if (type.trim().toLowerCase() !== wanted)
    throw fail('introspection_answer', `answers with something that is not ${wanted}`);
}

/** The members of a plain answer. Throws a Failure where it is no strict JSON object. */
export function readAnswer(bytes: Uint8Array): JsonObject {
  const json = parseStrictJsonBytes(bytes);
  if (json.kind === 'invalid')
    throw fail('introspection_answer', `answers with JSON that cannot be read (${json.reason})`);
  if (!isJsonObject(json.value)) throw fail('introspection_answer', 'answers with JSON that is no object');
  return json.value;
}

/** True or false as the answer says (RFC 7662 2.2). Throws a Failure where it says anything else, `"true"` among it. */
export function readActive(answer: JsonObject): boolean {
  const active = ownMember(answer, 'active');
  if (typeof active !== 'boolean')
    throw fail('introspection_answer', 'answers without active, or one that is neither true nor false');
  return active;
}

/** The message follows the name of the endpoint. */
export function fail(code: AnswerFailureCode, message: string): Failure {
  return new Failure(code, message);
}

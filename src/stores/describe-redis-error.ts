import { ErrorReply } from '@redis/client';
import { Failure } from '../core/failure.ts';

/** Why it failed, of what is known to hold no secret: our own words, the code of an error of Node, the first word of an error of Redis. */
export function describeRedisError(thrown: unknown): string {
  if (thrown instanceof Failure) return thrown.message;
  if (!(thrown instanceof Error)) return 'unknown error';
  if (thrown instanceof ErrorReply) return `Redis says ${/^[A-Z]{2,30}/.exec(thrown.message)?.[0] ?? 'an error'}`;
  const code: unknown = 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : thrown.constructor.name;
}

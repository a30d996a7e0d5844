import { Failure } from './failure.ts';
import type { LogFields } from './ports.ts';

/**
 * What a log may say of something thrown. Only a Failure's message was written by us: that of another error may quote what it
 * stumbled over (`JSON.parse` does), a token perhaps, so there it is the kind and the place.
 */
export function thrownFields(thrown: unknown): LogFields {
  if (thrown instanceof Failure) return { error: thrown.code, reason: thrown.message };
  if (!(thrown instanceof Error)) return { error: typeof thrown };
  const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return { error: thrown.constructor.name, at: frames.slice(0, 3).map((line) => line.trim()) };
}

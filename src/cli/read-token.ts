import { readFile } from 'node:fs/promises';
import { messageOf } from '../core/failure.ts';
import { UsageError } from './cli-command.ts';
import type { CliIo } from './cli-io.ts';

/** A token as a flag or argument gives it: itself, `@FILE`, or `-` for standard input. Throws a UsageError that never holds the token. */
export async function readToken(given: string, io: CliIo): Promise<string> {
  const token = (await readText(given, io)).trim().replace(/^bearer\s+/i, '');
  if (token === '') throw new UsageError('the token is empty');
  if (/\s/.test(token)) throw new UsageError('the token has white space inside: give one token alone');
  return token;
}

/** The text itself, what is in `@FILE`, or all of standard input for `-`. */
export async function readText(given: string, io: CliIo): Promise<string> {
  if (given === '-') return io.stdin();
  if (!given.startsWith('@')) return given;
  const file = given.slice(1);
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw new UsageError(`the file ${file} cannot be read: ${messageOf(thrown)}`);
  }
}

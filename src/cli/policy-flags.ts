import { Failure } from '../core/failure.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { UsageError } from './cli-command.ts';
import type { CliIo } from './cli-io.ts';
import { readText } from './read-token.ts';

/** An option that may be repeated. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** The JSON object that the flag gives, itself, in `@FILE` or as `-` on standard input. Throws a UsageError that holds nothing of it. */
export async function readJsonFlag(flag: string, given: string, io: CliIo): Promise<JsonObject> {
  const text = await readText(given, io);
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`${flag}: it is not JSON`);
  }
  if (!isJsonObject(value)) throw new UsageError(`${flag}: it is not a JSON object`);
  return value;
}

/** What was named on the command line is not there: exit code 2, as for any other mistake in it. */
export function isMistakeOfTheUser(thrown: unknown): thrown is Failure {
  return thrown instanceof Failure && ['provider_unknown', 'policies_unreadable'].includes(thrown.code);
}

/** Standard input can be read once: by one flag. */
export function refuseTwoReaders(given: readonly (string | undefined)[]): void {
  if (given.filter((one) => one === '-').length > 1)
    throw new UsageError('standard input can be read only once; give - once');
}

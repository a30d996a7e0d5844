import { runCommand, type CommandLimits } from '../../../src/dev/run-command.ts';

/** What the program wrote. Throws with the last lines of it where it did not end well. */
export async function runOrThrow(program: string, args: readonly string[], limits: CommandLimits): Promise<string> {
  const { code, output } = await runCommand(program, args, limits);
  if (code === 0) return output;
  const reason = output.trimEnd().split('\n').slice(-3).join(' | ').trim();
  throw new Error(
    code === undefined ? `${program} could not be run to its end: ${reason}` : `${program} says: ${reason}`,
  );
}

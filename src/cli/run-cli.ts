import { CommanderError } from 'commander';
import { Failure, messageOf } from '../core/failure.ts';
import { closest } from '../std/closest.ts';
import { UsageError } from './cli-command.ts';
import type { CliIo, CommandRegistry } from './cli-io.ts';
import { commands } from './commands.ts';
import { createProgram } from './create-program.ts';
import type { ExitCode } from './exit-codes.ts';

/** Runs the command line (without the program's own name) and answers the exit code. Never rejects: errors are one line on stderr. */
export async function runCli(args: readonly string[], io: CliIo, registry: CommandRegistry): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const exit = (code: ExitCode): void => {
    exitCode = code;
  };
  try {
    if (args[0] === '--version' || args[0] === '-V') return await runCli(['version', ...args.slice(1)], io, registry);
    refuseUnknownTopic(args);
    const program = await createProgram((name) => args.includes(name), { io, registry, exit });
    await program.parseAsync(args.length === 0 ? ['--help'] : args, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    return report(thrown, args, io);
  }
}

function report(thrown: unknown, args: readonly string[], io: CliIo): ExitCode {
  if (thrown instanceof CommanderError) {
    // Help was printed: because it was asked for, or because nothing was.
    if (thrown.exitCode === 0) return args.length === 0 ? 2 : 0;
    io.stderr(`portcullis: ${asClause(thrown.message)}; ${helpPointer(args)}\n`);
    return 2;
  }
  if (thrown instanceof UsageError) {
    io.stderr(`portcullis: ${asClause(thrown.message)}; ${helpPointer(args)}\n`);
    return 2;
  }
  const message = asOneLine(messageOf(thrown));
  io.stderr(
    thrown instanceof Failure
      ? `portcullis: ${message} [${thrown.code}]\n`
      : `portcullis: unexpected error: ${message}\n`,
  );
  return 1;
}

/** Commander begins with `error: ` and has its suggestion on a line of its own. */
function asOneLine(message: string): string {
  return message
    .trim()
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ');
}

/** A sentence that goes on behind a semicolon. */
function asClause(message: string): string {
  return asOneLine(message).replace(/\.$/, '');
}

/** `help servee`: commander would print the whole help as if nothing had been asked. */
function refuseUnknownTopic([first, topic]: readonly string[]): void {
  if (first !== 'help' || topic === undefined || topic.startsWith('-')) return;
  const names = commands.map(({ name }) => name);
  if (names.includes(topic)) return;
  const guess = closest(topic, names);
  throw new UsageError(`unknown command '${topic}'${guess === undefined ? '' : ` (Did you mean ${guess}?)`}`);
}

function helpPointer(args: readonly string[]): string {
  const command = commands.find(({ name }) => name === args[0]);
  return `see portcullis ${command === undefined ? '' : `${command.name} `}--help`;
}

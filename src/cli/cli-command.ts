import type { Command } from 'commander';
import type { CliIo, CommandRegistry } from './cli-io.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';

/** A command of the program. */
export interface CliCommand {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Loads the rest, so that a command costs only itself. */
  readonly load: () => Promise<CommandDetails>;
}

export interface CommandDetails {
  /** What it does: sentences. */
  readonly description: string;
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** What its exit codes mean, where it is more than their general meaning. */
  readonly exitCodes: Partial<Record<keyof typeof exitCodes, string>>;
  /** Codes of its own, which it ends with without `context.exit`. */
  readonly ownExitCodes?: readonly (readonly [code: number, meaning: string])[];
  /** Adds its arguments and options, and the action, which answers through `context.exit`. */
  configure(command: Command, context: CommandContext): void;
}

export interface CommandContext {
  readonly io: CliIo;
  readonly registry: CommandRegistry;
  /** Says with which code the process ends; 0 where no command says otherwise. */
  readonly exit: (code: ExitCode) => void;
}

/** A mistake on the command line: one line, with the remedy. Ends with exit code 2. */
export class UsageError extends Error {}

/** The part of a help text that teaches: examples and exit codes. */
export function teach(details: CommandDetails): string {
  const examples = details.examples.map(([line, does]) => `  $ ${line}\n      ${does}`);
  const general = Object.entries(details.exitCodes).map(
    ([name, meaning]) => [exitCodes[name as keyof typeof exitCodes].code, meaning] as const,
  );
  const codes = [...general, ...(details.ownExitCodes ?? [])].map(([code, meaning]) => `  ${code}  ${meaning}`);
  return `\nExamples:\n${examples.join('\n')}\n\nExit codes:\n${codes.join('\n')}`;
}

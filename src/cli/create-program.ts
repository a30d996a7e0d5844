import { Command } from 'commander';
import { teach, type CommandContext } from './cli-command.ts';
import { commands } from './commands.ts';
import { exitCodes } from './exit-codes.ts';

const about = `Portcullis decides for Envoy who may do what: it checks the caller's token against the issuer's keys, asks the policies of the \
route, and tells Envoy what to pass on. Everything that is not allowed is denied. Policies are custom resources of a Kubernetes cluster, or documents of the same form in a folder.`;

/**
 * The program with all its commands, those that `isWanted` names in full; the others are known by name and summary. It throws instead of ending
 * the process, and prints nothing about errors.
 */
export async function createProgram(isWanted: (name: string) => boolean, context: CommandContext): Promise<Command> {
  const { io } = context;
  const program = new Command('portcullis')
    .description(about)
    .usage('COMMAND [OPTIONS]')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'print the help of a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout(text),
      writeErr: (text) => io.stderr(text),
      outputError: () => undefined,
      // Help is the same wherever it is printed; docs/cli.md holds it.
      getOutHelpWidth: () => 120,
      getErrHelpWidth: () => 120,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText(
      'after',
      `\nExit codes:\n${generalExitCodes()}\n\nportcullis COMMAND --help tells more about a command.`,
    );
  for (const { name, summary, load } of commands) {
    const command = program.command(name).summary(summary).helpOption('-h, --help', 'print this help');
    if (!isWanted(name)) continue;
    const details = await load();
    command.description(details.description).addHelpText('after', teach(details));
    details.configure(command, context);
  }
  return program;
}

function generalExitCodes(): string {
  return Object.values(exitCodes)
    .map(({ code, meaning }) => `  ${code}  ${meaning}`)
    .join('\n');
}

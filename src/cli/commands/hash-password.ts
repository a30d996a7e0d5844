import { Option } from 'commander';
import { hashPassword, hashTypes, type HashType } from '../../runtime/hash-password.ts';
import { UsageError, type CommandContext, type CommandDetails } from '../cli-command.ts';

export const details: CommandDetails = {
  description: `Prints a hash of the password on standard input, as a line of the file of a provider of type Basic has it behind the name and a colon. \
One line break at its end is not part of the password.`,
  examples: [
    ['printf %s "$password" | portcullis hash-password', 'argon2id'],
    ['portcullis hash-password --type bcrypt < password.txt', 'bcrypt with cost 12'],
  ],
  exitCodes: {
    ok: 'the hash was printed',
    usage: 'the command line is wrong, or nobody could log in with the password',
  },
  configure(command, context) {
    command
      .addOption(new Option('--type <TYPE>', 'of the hash').choices(hashTypes).default('argon2id'))
      .action((flags: { readonly type: HashType }) => printHash(flags.type, context));
  },
};

async function printHash(type: HashType, { io }: CommandContext): Promise<void> {
  const hashed = hashPassword(type, (await io.stdin()).replace(/\r?\n$/, ''));
  if ('why' in hashed) throw new UsageError(hashed.why);
  io.stdout(`${hashed.hash}\n`);
}

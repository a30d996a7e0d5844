import { readVersion } from '../../runtime/version.ts';
import type { CommandDetails } from '../cli-command.ts';
import { formatData, outputOption, type OutputFormat } from '../print-data.ts';

export const details: CommandDetails = {
  description: 'Prints the version of Portcullis, and of the Node that runs it.',
  examples: [
    ['portcullis version', 'for people'],
    ['portcullis version -o json', 'for scripts'],
  ],
  exitCodes: { ok: 'always' },
  configure(command, { io }) {
    command.addOption(outputOption('table', 'json', 'yaml')).action(({ output }: { readonly output: OutputFormat }) => {
      const data = { version: readVersion(), node: process.versions.node };
      io.stdout(formatData(data, output, () => `portcullis ${data.version} (node ${data.node})\n`));
    });
  },
};

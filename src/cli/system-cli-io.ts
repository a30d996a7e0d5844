import { processEnvironment } from '../runtime/config/load-config.ts';
import type { CliIo } from './cli-io.ts';

/** Standard input, output and error, and the environment of this process. */
export function createSystemCliIo(): CliIo {
  // A reader that has seen enough (`| head`) is no error.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    stdin: async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) chunks.push(chunk);
      return Buffer.concat(chunks).toString('utf8');
    },
    env: processEnvironment(),
    process,
  };
}

import { InvalidArgumentError } from 'commander';
import { watchStopSignals } from '../../runtime/process-signals.ts';
import { systemClock } from '../../runtime/system-ports.ts';
import type { CommandContext, CommandDetails } from '../cli-command.ts';
import type { DevOptions } from '../cli-io.ts';

export const details: CommandDetails = {
  description: `Shows Portcullis at work on this machine: brings a real Envoy, an issuer of tokens, an upstream that answers with the headers it received, and \
Portcullis on examples/quickstart; makes sample requests through Envoy, prints each as a curl line with its answer and the reason, and stays up \
for your own. Everything listens on loopback alone. Where no Envoy can be had it says so and shows the same over plain gRPC.`,
  examples: [
    ['portcullis dev', 'the demonstration; Ctrl-C ends it'],
    ['portcullis dev --once', 'ends after the sample requests, for scripts'],
    ['portcullis dev --no-envoy', 'without a proxy: Check calls over gRPC'],
  ],
  exitCodes: {
    ok: 'every sample request was answered as expected',
    failed: 'one was not, or the demonstration could not start',
    usage: 'the command line is wrong',
  },
  configure(command, context) {
    command
      .option('--once', 'end after the sample requests', false)
      .option('--no-envoy', 'bring no Envoy, show the same over plain gRPC')
      .option('--port <PORT>', 'the port that Envoy listens on; 0 is any that is free', parsePort, 0)
      .action((options: DevOptions) => dev(options, context));
  },
};

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
  return port;
}

async function dev({ once, envoy, port }: DevOptions, { io, registry, exit }: CommandContext): Promise<void> {
  const runDev = await registry.runDev();
  const enough = new AbortController();
  const signals = watchStopSignals({ process: io.process, clock: systemClock });
  void signals.first.then(() => enough.abort());
  try {
    const code = await runDev(
      { once, envoy, port },
      {
        print: (line) => io.stdout(`${line}\n`),
        printError: (line) => io.stderr(`${line}\n`),
        environment: io.env,
        signal: enough.signal,
      },
    );
    exit(code === 0 ? 0 : 1);
  } finally {
    signals.close();
  }
}

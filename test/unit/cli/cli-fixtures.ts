import type { CliIo, CommandRegistry } from '../../../src/cli/cli-io.ts';
import { runCli } from '../../../src/cli/run-cli.ts';
import type { Environment } from '../../../src/runtime/config/read-environment.ts';
import { createFakeProcess, type FakeProcess } from '../runtime/runtime-fixtures.ts';

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliWorld {
  readonly registry?: Partial<CommandRegistry>;
  readonly env?: Environment;
  readonly stdin?: string;
  readonly process?: FakeProcess;
}

/** Runs a command line in a world of the test's own; what is not given fails the test that needs it. */
export async function run(args: readonly string[], world: CliWorld = {}): Promise<CliRun> {
  let stdout = '';
  let stderr = '';
  const io: CliIo = {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    stdin: () => Promise.resolve(world.stdin ?? ''),
    env: world.env ?? {},
    process: world.process ?? createFakeProcess(),
  };
  const missing = (): never => {
    throw new Error('the test gives no such command');
  };
  const registry: CommandRegistry = {
    startService: missing,
    validateSources: missing,
    testPolicies: missing,
    askService: missing,
    inspectToken: missing,
    explain: missing,
    revokeTokens: missing,
    runDev: missing,
    ...world.registry,
  };
  return { exitCode: await runCli(args, io, registry), stdout, stderr };
}

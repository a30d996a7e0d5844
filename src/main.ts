#!/usr/bin/env node
import type { CommandRegistry } from './cli/cli-io.ts';

// An old Node must come as far as its own sentence: nothing is loaded before it is judged, and this file holds no newer syntax.
const neededNode = [24, 7] as const;
const nodeVersion = process.versions.node;

if (isOlder(nodeVersion)) {
  process.stderr.write(
    `Portcullis needs Node ${neededNode.join('.')} or later; this is ${nodeVersion}. A clone has one: node_modules/.bin/node dist/main.js …\n`,
  );
  process.exitCode = 2;
} else {
  await start();
}

/** `crypto.argon2` is there since 24.7. */
function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < neededNode[0] || (major === neededNode[0] && minor < neededNode[1]);
}

async function start(): Promise<void> {
  const { runCli } = await import('./cli/run-cli.ts');
  const { createSystemCliIo } = await import('./cli/system-cli-io.ts');
  const { systemTimers } = await import('./runtime/system-ports.ts');
  /** Loaded only when asked for: `portcullis version` needs none of it. */
  const registry: CommandRegistry = {
    startService: async () => (await import('./runtime/service.ts')).startService,
    validateSources: async () => (await import('./runtime/validate.ts')).validateSources,
    testPolicies: async () => (await import('./runtime/test-policies.ts')).testPolicies,
    askService: async () => (await import('./runtime/ask-service.ts')).askService,
    inspectToken: async () => (await import('./runtime/inspect-token.ts')).inspectToken,
    explain: async () => (await import('./runtime/explain.ts')).explain,
    revokeTokens: async () => (await import('./runtime/revoke-tokens.ts')).revokeTokens,
    runDev: async () => (await import('./dev/run-dev.ts')).runDev,
  };
  process.exitCode = await runCli(process.argv.slice(2), createSystemCliIo(), registry);
  // Whatever a command left open does not keep the process; what was printed has had its time by then.
  systemTimers.after(1000, () => process.exit());
}

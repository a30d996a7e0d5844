#!/usr/bin/env node
import type { CommandRegistry } from './cli/cli-io.ts';
import { runCli } from './cli/run-cli.ts';
import { createSystemCliIo } from './cli/system-cli-io.ts';
import { systemTimers } from './runtime/system-ports.ts';

/** Loaded only when asked for: `portcullis version` needs none of it. */
const registry: CommandRegistry = {
  startService: async () => (await import('./runtime/service.ts')).startService,
  validateSources: async () => (await import('./runtime/validate.ts')).validateSources,
  askService: async () => (await import('./runtime/ask-service.ts')).askService,
  inspectToken: async () => (await import('./runtime/inspect-token.ts')).inspectToken,
  explain: async () => (await import('./runtime/explain.ts')).explain,
  runDev: async () => (await import('./dev/run-dev.ts')).runDev,
};

process.exitCode = await runCli(process.argv.slice(2), createSystemCliIo(), registry);
// Whatever a command left open does not keep the process; what was printed has had its time by then.
systemTimers.after(1000, () => process.exit());

import type { Problem } from '../../../src/core/problem.ts';
import { formatPlace } from '../../../src/runtime/config/given-value.ts';
import { readConfigFile } from '../../../src/runtime/config/read-config-file.ts';
import { readEnvironment, type Environment } from '../../../src/runtime/config/read-environment.ts';
import { resolveConfig, type ResolvedConfig } from '../../../src/runtime/config/resolve-config.ts';

/** Resolves an environment and a config file named config.yaml. */
export function resolve(env: Environment, file = ''): ResolvedConfig {
  const environment = readEnvironment(env);
  const read = readConfigFile({ source: 'config.yaml', text: file });
  return resolveConfig([environment.values, read.values], [...environment.problems, ...read.problems]);
}

/** `place: severity: code` of each. */
export function outline(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ place, severity, code }) => `${formatPlace(place)}: ${severity}: ${code}`);
}

/** The problems, whether or not there is a config. */
export function problemsOf(resolved: ResolvedConfig): readonly Problem[] {
  return resolved.ok ? resolved.warnings : resolved.problems;
}

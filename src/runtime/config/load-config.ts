import { readFile } from 'node:fs/promises';
import type { Problem } from '../../core/problem.ts';
import { codeOf } from '../../std/listen.ts';
import { namedPlace, type GivenValue } from './given-value.ts';
import { readConfigFile, type ConfigFile, type ConfigFileReading } from './read-config-file.ts';
import { readEnvironment, type Environment } from './read-environment.ts';
import { resolveConfig, type ResolvedConfig } from './resolve-config.ts';
import { configFileEnv, configFileFlag, settingEntries } from './settings.ts';

/** The flags given, by name (`--grpc-address`), with every occurrence of each. */
export type Flags = ReadonlyMap<string, readonly string[]>;

/** Larger is no config file. */
const maxFileCharacters = 1_000_000;

/** The settings in force by flags, environment, config file and defaults, in that order. Never throws: a file that cannot be read is a Problem. */
export async function loadConfig(flags: Flags, env: Environment): Promise<ResolvedConfig> {
  const given = flagValues(flags);
  const environment = readEnvironment(env);
  const path = flags.get(configFileFlag)?.at(-1) ?? env[configFileEnv];
  const read: ConfigFileReading = path === undefined ? { values: [], problems: [] } : await readFileAt(path, flags);
  const problems = [...environment.problems, ...read.problems];
  return resolveConfig([given, environment.values, read.values], problems, { isInPod: isInPod(env) });
}

/** What Kubernetes sets in every container. */
function isInPod(env: Environment): boolean {
  return (env['KUBERNETES_SERVICE_HOST'] ?? '') !== '';
}

/** The environment of this process: the one place that reads it. */
export function processEnvironment(): Environment {
  return process.env;
}

async function readFileAt(path: string, flags: Flags): Promise<ConfigFileReading> {
  let file: ConfigFile;
  try {
    file = { source: path, text: await readFile(path, 'utf8') };
  } catch (thrown) {
    return unreadable(flags, `The config file ${path} cannot be read (${codeOf(thrown) || 'unknown error'}).`);
  }
  return file.text.length > maxFileCharacters
    ? unreadable(flags, `The config file ${path} is too large.`)
    : readConfigFile(file);
}

function unreadable(flags: Flags, message: string): ConfigFileReading {
  const place = namedPlace(flags.has(configFileFlag) ? configFileFlag : configFileEnv);
  const problem: Problem = { code: 'unreadable-file', severity: 'error', message, field: '', place };
  return { values: [], problems: [problem] };
}

function flagValues(flags: Flags): readonly GivenValue[] {
  return settingEntries().flatMap(([key, { flag }]) => {
    const texts = flags.get(flag);
    return texts === undefined ? [] : [{ key, form: { kind: 'texts', texts }, origin: namedPlace(flag) }];
  });
}

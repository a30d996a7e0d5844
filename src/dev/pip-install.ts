import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from './install-in-cache.ts';
import { runCommand } from './run-command.ts';

const timeoutMs = 240_000;

export interface PipHost {
  readonly environment: Environment;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Installs one wheel, named as in a requirements file with its version and digests, into the folder, without what it depends on.
 * Answers why that failed; undefined where it did not.
 */
export async function pipInstall(requirement: string, folder: string, host: PipHost): Promise<string | undefined> {
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${requirement}\n`);
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--no-deps'];
  const target = ['--require-hashes', '--only-binary', ':all:', '--target', folder, '--requirement', requirements];
  const limits = { timeoutMs, signal: host.signal, environment: host.environment };
  const { code, output } = await runCommand('python3', [...pip, ...target], limits);
  if (code === 0) return undefined;
  const reason = output.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return code === undefined ? `python3 could not be run to its end: ${reason}` : `pip says: ${reason}`;
}

import { mkdir, readdir, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { PartHost } from './create-part.ts';
import { runOrThrow } from './run-or-throw.ts';

const timeoutMs = 300_000;

/**
 * Unpacks Debian's packages into the folder, without installing them. apt checks what it fetches against the signed index. A release of
 * Debian has one version, so the release is what pins it. What the packages depend on is there only where it is named too.
 */
export async function unpackDebianPackages(
  name: string,
  packages: readonly string[],
  folder: string,
  host: PartHost,
): Promise<void> {
  const work = join(folder, 'apt');
  await mkdir(join(work, 'lists', 'partial'), { recursive: true });
  await mkdir(join(work, 'archives', 'partial'), { recursive: true });
  const limits = { timeoutMs, environment: host.environment, folder: work };
  // With an index of its own: the system's may be missing, old, or in use by somebody.
  const options = [
    `Dir::State::Lists=${join(work, 'lists')}`,
    `Dir::Cache=${work}`,
    `APT::Sandbox::User=${userInfo().username}`,
  ].flatMap((option) => ['-o', option]);
  await runOrThrow('apt-get', [...options, '--quiet', '--error-on=any', 'update'], limits);
  await runOrThrow('apt-get', [...options, '--quiet', 'download', ...packages], limits);
  const archives = (await readdir(work)).filter((file) => file.endsWith('.deb'));
  if (archives.length !== packages.length)
    throw new Error(`apt-get brought ${archives.length} of ${packages.length} packages`);
  host.progress(`${name} comes from ${archives.join(', ')}.`);
  for (const archive of archives) await runOrThrow('dpkg-deb', ['--extract', join(work, archive), folder], limits);
  await rm(work, { recursive: true });
}

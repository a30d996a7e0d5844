import { mkdir, readdir, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { isAtLeast } from '../../../src/dev/is-at-least.ts';
import { createPart, type PartHost } from './create-part.ts';
import { runOrThrow } from './run-or-throw.ts';

const timeoutMs = 300_000;

/** The store behind the API server, out of Debian's package: unpacked, not installed, so that no root is needed and no service starts. */
export const etcdPart = createPart({
  name: 'etcd',
  program: 'etcd',
  versionArguments: ['--version'],
  versionPattern: /etcd Version: (\d+\.\d+\.\d+)/u,
  isRight: (version) => version.startsWith('3.') && isAtLeast(version, '3.4'),
  folder: 'etcd-3',
  file: join('usr', 'bin', 'etcd'),
  effort: "8 MB and the index of Debian's packages",
  remedy: "Put an etcd 3.4 or newer on the PATH, or let apt-get and dpkg-deb reach Debian's packages.",
  fill,
});

/** apt checks what it fetches against the signed index. A release of Debian has one version, so the release is what pins it. */
async function fill(folder: string, host: PartHost): Promise<void> {
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
  await runOrThrow('apt-get', [...options, '--quiet', 'download', 'etcd-server'], limits);
  const archive = (await readdir(work)).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt-get brought no package');
  host.progress(`etcd comes from ${archive}.`);
  await runOrThrow('dpkg-deb', ['--extract', join(work, archive), folder], limits);
  await rm(work, { recursive: true });
}

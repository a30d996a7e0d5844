import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAtLeast } from '../../../src/dev/is-at-least.ts';
import { createPart, type PartHost } from './create-part.ts';
import { unpackDebianPackages } from './unpack-debian-packages.ts';

/** The server and the libraries that a system without it may lack; TLS and systemd's it has. */
const packages = ['redis-server', 'redis-tools', 'libatomic1', 'libjemalloc2', 'liblzf1'];

/** The store that replicas share, out of Debian's packages: unpacked, not installed, so that no root is needed and no service starts. */
export const redisPart = createPart({
  name: 'Redis',
  program: 'redis-server',
  versionArguments: ['--version'],
  versionPattern: /^(?:Redis|Valkey) server v=(\d+\.\d+\.\d+)/u,
  isRight: (version) => isAtLeast(version, '6.2'),
  folder: 'redis-7',
  file: join('bin', 'redis-server'),
  effort: "2 MB and the index of Debian's packages",
  remedy: "Put a redis-server 6.2 or newer on the PATH, or let apt-get and dpkg-deb reach Debian's packages.",
  fill,
});

async function fill(folder: string, host: PartHost): Promise<void> {
  await unpackDebianPackages('Redis', packages, folder, host);
  await mkdir(join(folder, 'bin'));
  const program = join(folder, 'bin', 'redis-server');
  await writeFile(program, starter);
  await chmod(program, 0o755);
}

/** Where the libraries lie is said to the program alone; it takes the place of the shell, so that signals reach it. */
const starter = `#!/bin/sh
here=$(dirname "$(dirname "$(readlink -f "$0")")")
for folder in "$here"/usr/lib/*-linux-gnu* "$here"/lib/*-linux-gnu*; do
  LD_LIBRARY_PATH="$folder\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done
export LD_LIBRARY_PATH
exec "$here/usr/bin/redis-server" "$@"
`;

import { join } from 'node:path';
import { isAtLeast } from '../../../src/dev/is-at-least.ts';
import { createPart } from './create-part.ts';
import { unpackDebianPackages } from './unpack-debian-packages.ts';
import { writeStarter } from './write-starter.ts';

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
  async fill(folder, host) {
    await unpackDebianPackages('Redis', packages, folder, host);
    await writeStarter('redis-server', folder);
  },
});

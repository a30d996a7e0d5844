import { join } from 'node:path';
import { isAtLeast } from '../../../src/dev/is-at-least.ts';
import { createPart } from './create-part.ts';
import { unpackDebianPackages } from './unpack-debian-packages.ts';

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
  fill: (folder, host) => unpackDebianPackages('etcd', ['etcd-server'], folder, host),
});

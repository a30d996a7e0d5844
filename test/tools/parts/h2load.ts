import { join } from 'node:path';
import { isAtLeast } from '../../../src/dev/is-at-least.ts';
import { createPart } from './create-part.ts';
import { unpackDebianPackages } from './unpack-debian-packages.ts';
import { writeStarter } from './write-starter.ts';

/** nghttp2's programs and the libraries that a system without them may lack; TLS and C++'s it has. */
const packages = ['nghttp2-client', 'libnghttp2-14', 'libev4', 'libjemalloc2'];

/** A client on nghttp2 that opens many streams at once, out of Debian's packages: unpacked, not installed, so that no root is needed. */
export const h2loadPart = createPart({
  name: 'h2load',
  program: 'h2load',
  versionArguments: ['--version'],
  versionPattern: /^h2load nghttp2\/(\d+\.\d+\.\d+)/u,
  isRight: (version) => isAtLeast(version, '1.43'),
  folder: 'h2load-1',
  file: join('bin', 'h2load'),
  effort: "2 MB and the index of Debian's packages",
  remedy: "Put an h2load 1.43 or newer on the PATH, or let apt-get and dpkg-deb reach Debian's packages.",
  async fill(folder, host) {
    await unpackDebianPackages('h2load', packages, folder, host);
    await writeStarter('h2load', folder);
  },
});

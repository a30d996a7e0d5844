import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes `bin/NAME` into the folder of unpacked Debian packages: it starts `usr/bin/NAME` with the libraries that lie there. */
export async function writeStarter(name: string, folder: string): Promise<void> {
  await mkdir(join(folder, 'bin'));
  const program = join(folder, 'bin', name);
  await writeFile(program, starter(name));
  await chmod(program, 0o755);
}

/** Where the libraries lie is said to the program alone; it takes the place of the shell, so that signals reach it. */
function starter(name: string): string {
  return `#!/bin/sh
here=$(dirname "$(dirname "$(readlink -f "$0")")")
for folder in "$here"/usr/lib/*-linux-gnu* "$here"/lib/*-linux-gnu*; do
  LD_LIBRARY_PATH="$folder\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done
export LD_LIBRARY_PATH
exec "$here/usr/bin/${name}" "$@"
`;
}

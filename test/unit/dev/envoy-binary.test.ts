import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bringEnvoy, findEnvoy } from '../../../src/dev/envoy-binary.ts';
import type { Environment } from '../../../src/dev/install-in-cache.ts';

/** Tells the version as Envoy does. */
const fakeEnvoy = (version: string): string =>
  `#!/bin/sh\necho "envoy  version: 0abc/${version}/Clean/RELEASE/BoringSSL"\n`;

/** A python3 whose pip puts an Envoy of that version where `--target` says. */
const fakePip = (version: string): string => `#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" = --target ] && target=$2; shift; done
grep -q -- --hash=sha256: "$target/requirements.txt" || exit 3
mkdir -p "$target/envoy/_bin"
cat > "$target/envoy/_bin/envoy" <<'EOF'
${fakeEnvoy(version)}EOF
chmod +x "$target/envoy/_bin/envoy"
`;

let folder: string;
let environment: Environment;
let lines: string[];

const program = async (path: string, text: string): Promise<void> => {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
};
const bring = (): Promise<string> => bringEnvoy({ environment, progress: (line) => lines.push(line) });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-unit-'));
  environment = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache') };
  lines = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('Envoy', () => {
  const cache = (): string => join(folder, 'cache', 'portcullis');
  const finished = (): string => join(cache(), 'envoy-1.40.0', 'envoy', '_bin', 'envoy');

  it('is taken from the PATH where it is new enough', async () => {
    await program(join(folder, 'bin', 'envoy'), fakeEnvoy('1.41.2'));
    expect([await findEnvoy(environment), await bring(), lines]).toEqual([
      join(folder, 'bin', 'envoy'),
      join(folder, 'bin', 'envoy'),
      [],
    ]);
  });

  it.each([
    ['older', fakeEnvoy('1.37.9')],
    ['something else of that name', '#!/bin/sh\necho hello\n'],
    ['broken', '#!/bin/sh\nexit 1\n'],
  ])('is brought where the one of the PATH is %s', async (_title, text) => {
    await program(join(folder, 'bin', 'envoy'), text);
    await program(join(folder, 'bin', 'python3'), fakePip('1.40.0'));
    expect(await bring()).toBe(finished());
    expect(lines).toEqual([expect.stringMatching(/^Downloading Envoy 1\.40\.0 \(37 MB, once, into /u)]);
  });

  it('is not there until it is brought, and then needs nobody', async () => {
    await program(join(folder, 'bin', 'python3'), fakePip('1.40.0'));
    expect(await findEnvoy(environment)).toBe(undefined);
    await bring();
    await rm(join(folder, 'bin'), { recursive: true });
    expect([await findEnvoy(environment), await bring(), lines.length]).toEqual([finished(), finished(), 1]);
  });

  it('is brought once by two at the same time, and nothing is left behind', async () => {
    await program(join(folder, 'bin', 'python3'), fakePip('1.40.0'));
    expect(await Promise.all([bring(), bring()])).toEqual([finished(), finished()]);
    expect(await readdir(cache())).toEqual(['envoy-1.40.0']);
  });

  it.each([
    [
      'pip fails',
      '#!/bin/sh\necho "ERROR: No matching distribution found" >&2\nexit 1\n',
      /pip says: ERROR: No matching distribution/u,
    ],
    ['the binary does not run', fakePip('1.40.0").*'), /the binary of the package does not run/u],
    ['the package holds another version', fakePip('1.2.3'), /the binary of the package does not run \(1\.2\.3\)/u],
  ])('is refused with the reason and the remedy where %s', async (_title, python, reason) => {
    await program(join(folder, 'bin', 'python3'), python);
    await expect(bring()).rejects.toMatchObject({
      code: 'envoy_unavailable',
      message: expect.stringMatching(reason),
    });
    await expect(bring()).rejects.toThrow(/Put an envoy 1\.40\.0 or newer on the PATH, or install Python 3 with pip/u);
    expect(await readdir(cache())).toEqual([]);
  });

  it('is not taken from an install that was cut off, and an old one of these is removed', async () => {
    const [old, young] = [join(cache(), 'envoy-1.40.0.unfinished-a'), join(cache(), 'envoy-1.40.0.unfinished-b')];
    await program(join(old, 'envoy', '_bin', 'envoy'), fakeEnvoy('1.40.0'));
    await program(join(young, 'envoy', '_bin', 'envoy'), fakeEnvoy('1.40.0'));
    await utimes(old, new Date(0), new Date(0));
    await program(join(folder, 'bin', 'python3'), fakePip('1.40.0'));
    expect(await findEnvoy(environment)).toBe(undefined);
    await bring();
    expect((await readdir(cache())).toSorted()).toEqual(['envoy-1.40.0', 'envoy-1.40.0.unfinished-b']);
  });

  it('cannot be brought where the cache cannot be written', async () => {
    await writeFile(join(folder, 'cache'), 'a file');
    await expect(bring()).rejects.toMatchObject({
      code: 'envoy_unavailable',
      message: expect.stringMatching(/the cache folder cannot be written/u),
    });
  });
});

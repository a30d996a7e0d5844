import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rolldownRuntime } from '../../../deploy/bundle/bundle-program.ts';
import { packagesOf } from '../../../deploy/bundle/bundled-package.ts';
import { cyclonedx } from '../../../deploy/bundle/cyclonedx.ts';
import { readLock } from '../../../deploy/bundle/read-lock.ts';
import { thirdPartyNotices } from '../../../deploy/bundle/third-party-notices.ts';

const integrity = `sha512-${Buffer.alloc(64, 1).toString('base64')}`;
const entry = (version: string, more: object = {}): object => ({ version, license: 'MIT', integrity, ...more });
const about = { name: 'portcullis', version: '1.0.0', description: 'About.', licence: 'Apache-2.0' };
let root: string;

const write = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
};
const lockOf = async (packages: Record<string, object>): Promise<Awaited<ReturnType<typeof readLock>>> => {
  await write('package-lock.json', JSON.stringify({ packages: { '': {}, ...packages } }));
  return readLock(join(root, 'package-lock.json'));
};
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'portcullis-unit-'));
});
afterEach(() => rm(root, { recursive: true }));

describe('the packages of a bundle', () => {
  it('are those that a module is of, each once and by the place that Node finds it at', async () => {
    await write('node_modules/a/LICENSE', 'Copyright A\r\n');
    await write('node_modules/a/NOTICE', 'Notice of A');
    await write('node_modules/a/node_modules/@s/b/licence.txt', 'Copyright B');
    await write('node_modules/rolldown/LICENSE', 'Copyright R');
    const lock = await lockOf({
      'node_modules/a': entry('1.0.0', { dependencies: { '@s/b': '2', c: '1' }, license: 'Apache-2.0' }),
      'node_modules/a/node_modules/@s/b': entry('2.0.0', { dependencies: { a: '1' } }),
      'node_modules/@s/b': entry('1.0.0'),
      'node_modules/c': entry('1.0.0'),
      'node_modules/rolldown': entry('3.0.0'),
    });
    const modules = [
      rolldownRuntime,
      join(root, 'src/main.ts'),
      join(root, 'node_modules/a/index.js'),
      join(root, 'node_modules/a/lib/x.js'),
      join(root, 'node_modules/a/node_modules/@s/b/index.js'),
    ];
    const packages = await packagesOf(modules, root, lock);
    expect(packages).toMatchObject([
      { name: '@s/b', version: '2.0.0', dependencies: ['node_modules/a'], notices: ['Copyright B'] },
      {
        name: 'a',
        licence: 'Apache-2.0',
        dependencies: ['node_modules/a/node_modules/@s/b'],
        notices: ['Copyright A', 'Notice of A'],
      },
      { name: 'rolldown', version: '3.0.0', dependencies: [] },
    ]);
    const notices = thirdPartyNotices(packages);
    expect(notices).toContain('a 1.0.0 (Apache-2.0)');
    expect(notices).toContain('Copyright A\n\nNotice of A');
    expect(cyclonedx(about, packages)).toMatchObject({
      components: [
        {
          group: '@s',
          name: 'b',
          purl: 'pkg:npm/%40s/b@2.0.0',
          hashes: [{ alg: 'SHA-512', content: '01'.repeat(64) }],
          licenses: [{ license: { id: 'MIT' } }],
        },
        { name: 'a' },
        { name: 'rolldown' },
      ],
      dependencies: [
        {
          ref: 'pkg:npm/portcullis@1.0.0',
          dependsOn: ['pkg:npm/%40s/b@2.0.0', 'pkg:npm/a@1.0.0', 'pkg:npm/rolldown@3.0.0'],
        },
        { ref: 'pkg:npm/%40s/b@2.0.0', dependsOn: ['pkg:npm/a@1.0.0'] },
        { ref: 'pkg:npm/a@1.0.0', dependsOn: ['pkg:npm/%40s/b@2.0.0'] },
        { ref: 'pkg:npm/rolldown@3.0.0', dependsOn: [] },
      ],
    });
  });

  it.each<[string, object, string | undefined, RegExp]>([
    [
      'the licence is not allowed',
      entry('1.0.0', { license: 'GPL-3.0-only' }),
      'x',
      /the licence GPL-3\.0-only, which/u,
    ],
    ['the lock file knows no licence', { version: '1.0.0', integrity }, 'x', /the licence , which nobody/u],
    ['there is no licence file', entry('1.0.0'), undefined, /has no licence file/u],
  ])('are refused where %s', async (_title, locked, licence, reason) => {
    await write('node_modules/a/index.js', '');
    if (licence !== undefined) await write('node_modules/a/LICENSE', licence);
    const lock = await lockOf({ 'node_modules/a': locked });
    await expect(packagesOf([join(root, 'node_modules/a/index.js')], root, lock)).rejects.toThrow(reason);
  });

  it('are refused where the lock file does not have them or has no SHA-512', async () => {
    await write('node_modules/a/LICENSE', 'x');
    const modules = [join(root, 'node_modules/a/index.js')];
    await expect(packagesOf(modules, root, await lockOf({}))).rejects.toThrow(
      'package-lock.json has no node_modules/a',
    );
    const old = await packagesOf(
      modules,
      root,
      await lockOf({ 'node_modules/a': entry('1.0.0', { integrity: 'sha1-x' }) }),
    );
    expect(() => cyclonedx(about, old)).toThrow('no SHA-512 of a');
  });
});

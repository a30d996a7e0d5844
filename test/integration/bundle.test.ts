import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIssuer, type Issuer } from '../../src/dev/issuer.ts';
import { checkOf, createCheckClient, encodeCheck } from '../support/check-over-grpc.ts';
import { parseDockerfile } from '../support/dockerfile.ts';
import { createImageFolder, runsAs, type ImageFolder, type ImageProcess } from './support/as-image.ts';
import { lineWith } from './support/line-with.ts';
import { runCli } from './support/serve-process.ts';

let image: ImageFolder;
let issuer: Issuer;
let policies: string;
beforeAll(async () => {
  image = await createImageFolder();
  issuer = await startIssuer(0, 'orders');
  policies = await mkdtemp(join(tmpdir(), 'portcullis-policies-'));
  const example = join(image.folder, 'examples', 'quickstart');
  for (const name of await readdir(example)) {
    const text = await readFile(join(example, name), 'utf8');
    await writeFile(join(policies, name), text.replaceAll('http://127.0.0.1:18080/demo', issuer.issuer));
  }
  // Large enough to be read in the thread, whose program must be in the bundle too.
  const padding = `# ${'x'.repeat(20_000)}\n`;
  await writeFile(
    join(policies, 'large.yaml'),
    `${padding}apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: large, namespace: demo}\nspec: {hosts: [large.example], rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Public}]}\n`,
  );
  // For whoever the program runs as.
  await chmod(policies, 0o755);
});
afterAll(async () => {
  await issuer.close();
  await image.close();
  await rm(policies, { recursive: true });
});

async function finished(child: ImageProcess): Promise<readonly [number, string]> {
  const code = await child.ended;
  return [code, child.output()];
}

describe(`the bundle in a folder that nobody writes, as user ${runsAs}`, () => {
  it('has no package above it, and its user cannot write there', async () => {
    for (let at = image.folder; at !== dirname(at); at = dirname(at))
      expect([at, existsSync(join(at, 'node_modules'))]).toEqual([at, false]);
    const written = "require('node:fs').writeFileSync('written', '')";
    const [code, output] = await finished(image.startNode(['-e', written]));
    expect([code, /EACCES/u.test(output), existsSync(join(image.folder, 'written'))]).toEqual([1, true, false]);
  });

  it('is written in ASCII, so that its text takes a byte a character in memory', async () => {
    const folder = join(image.folder, 'lib', 'js');
    const names = await readdir(folder);
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    expect(names).toContain('portcullis.js');
    expect(names.filter((_name, index) => /\P{ASCII}/u.test(texts[index] ?? ''))).toEqual([]);
  });

  it('tells its version and judges policies', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { readonly version: string };
    const [asText, valid, broken] = await Promise.all([
      finished(image.start(['version'])),
      finished(image.start(['validate', join(image.folder, 'examples', 'quickstart')])),
      finished(image.start(['validate', join(image.folder, 'package.json')])),
    ]);
    expect(asText).toEqual([0, `portcullis ${version} (node ${process.versions.node})\n`]);
    expect(valid).toEqual([0, '2 documents valid, 0 refused, 0 warnings, 0 passed over\n']);
    expect(broken[0]).not.toBe(0);
  });

  it('serves: it denies and allows over gRPC, stops at SIGTERM with 0, and has changed nothing', async () => {
    const before = await image.digest();
    const ports = ['--grpc-address', '--http-address', '--admin-address'].flatMap((flag) => [flag, '127.0.0.1:0']);
    const service = image.start([
      'serve',
      '--policies',
      policies,
      '--allow-private-addresses',
      '--shutdown-delay',
      '0s',
      ...ports,
    ]);
    try {
      const { grpcAddress } = await lineWith(service, 'serving');
      await lineWith(service, 'ready');
      const status = await readFile(`/proc/${service.pid}/status`, 'utf8');
      expect(/^Uid:\s+(\d+)/mu.exec(status)?.[1]).toBe(String(runsAs));
      const client = createCheckClient(String(grpcAddress));
      const token = await issuer.sign({ sub: 'alice' });
      const ask = (given: string | undefined, host = 'localhost'): ReturnType<typeof client.send> =>
        client.send(
          encodeCheck(
            checkOf({ method: 'GET', host, path: '/orders', headers: [], clientIp: undefined }, given, 'joined'),
          ),
        );
      const [allowed, denied, large] = [await ask(token), await ask(undefined), await ask(undefined, 'large.example')];
      client.close();
      expect(allowed).toMatchObject({ okResponse: { headersToRemove: expect.arrayContaining(['authorization']) } });
      expect(allowed.okResponse?.headers).toContainEqual(
        expect.objectContaining({ header: expect.objectContaining({ key: 'x-user-id', value: 'alice' }) }),
      );
      expect(large.status?.code ?? 0).toBe(0);
      expect([denied.status?.code, denied.deniedResponse?.status?.code]).toEqual([16, 401]);
      service.signal('SIGTERM');
      expect(await service.ended).toBe(0);
    } finally {
      service.signal('SIGKILL');
    }
    expect(await image.digest()).toEqual(before);
  });

  it('loads what only a demonstration or the command line needs when that is asked for, and nothing from outside', async () => {
    const names = await readdir(join(image.folder, 'lib', 'js'));
    const texts = await Promise.all(names.map((name) => readFile(join(image.folder, 'lib', 'js', name), 'utf8')));
    expect(texts.filter((text) => text.includes(process.cwd()))).toEqual([]);
    const entry = texts[names.indexOf('portcullis.js')] ?? '';
    expect([names.length > 20, entry.length < 4000, /^import .* from/mu.test(entry)]).toEqual([true, true, false]);
  });
});

describe('the bundle', () => {
  it('is the same, byte for byte, from another folder that holds only what the Dockerfile copies', async () => {
    const context = await mkdtemp(join(tmpdir(), 'portcullis-context-'));
    try {
      for (const { name, text } of parseDockerfile(await readFile('deploy/Dockerfile', 'utf8'))) {
        if (name !== 'COPY' || text.startsWith('--from=')) continue;
        const [target = '', ...sources] = text.split(/\s+/u).toReversed();
        for (const source of sources) {
          const to = target.endsWith('/') ? join(context, target, source) : join(context, target);
          await mkdir(dirname(to), { recursive: true });
          await cp(source, to, { recursive: true });
        }
      }
      // In place of `npm ci`.
      await symlink(resolve('node_modules'), join(context, 'node_modules'));
      const built = join(context, 'out');
      expect(await runCli([built], join(context, 'deploy/bundle/run.ts'))).toMatchObject({ code: 0 });
      const [ours, theirs] = await Promise.all([filesOf(image.folder), filesOf(built)]);
      expect([...theirs.keys()]).toEqual([...ours.keys()]);
      expect([...ours].filter(([name, text]) => theirs.get(name) !== text).map(([name]) => name)).toEqual([]);
      expect(ours.size).toBeGreaterThan(30);
    } finally {
      await rm(context, { recursive: true });
    }
  });

  it('lists the same packages in its notices as in its bill of materials, and every one that it was made of', async () => {
    const notices = await readFile(join(image.folder, 'THIRD-PARTY-NOTICES'), 'utf8');
    const bill = JSON.parse(await readFile(join(image.folder, 'sbom.cdx.json'), 'utf8')) as {
      readonly components: readonly { readonly group?: string; readonly name: string; readonly version: string }[];
    };
    const listed = bill.components.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name} ${version}`);
    const noticed = [...notices.matchAll(/^(\S+ \S+) \([A-Za-z0-9.-]+\)$/gmu)].map(([, name = '']) => name);
    expect(noticed.toSorted()).toEqual(listed.toSorted());
    const { dependencies } = JSON.parse(await readFile('package.json', 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const names = new Set(listed.map((line) => line.split(' ')[0]));
    const imported = (await sourcesOf('src')).join('\n');
    const used = Object.keys(dependencies).filter((name) => imported.includes(`'${name}'`));
    expect(used.filter((name) => !names.has(name))).toEqual([]);
    expect(used.length).toBeGreaterThan(8);
  });
});

async function filesOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      paths.toSorted().map(async (path) => [path.slice(folder.length), await readFile(path, 'latin1')] as const),
    ),
  );
}

async function sourcesOf(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}

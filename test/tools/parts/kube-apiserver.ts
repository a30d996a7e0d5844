import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAtLeast } from '../../../src/dev/is-at-least.ts';
import { runCommand } from '../../../src/dev/run-command.ts';
import { createPart, type PartHost } from './create-part.ts';
import { runOrThrow } from './run-or-throw.ts';

const minute = 60_000;
const tellEveryMs = 30_000;
const moduleFolder = fileURLToPath(new URL('../kube-apiserver', import.meta.url));
const moduleText = readFileSync(join(moduleFolder, 'go.mod'), 'utf8');
/** go.mod and go.sum pin what is built. */
const version = wordOf(/^\tk8s\.io\/kubernetes v(\S+)$/mu);
const neededGo = wordOf(/^go (\S+)$/mu);
const [major = '', minor = ''] = version.split('.');
const goIsNeeded = `Install Go ${neededGo} or newer and let it reach a module proxy`;

/** Nobody publishes it where only package registries are reached: it is built from its Go module. */
export const kubeApiserverPart = createPart({
  name: 'kube-apiserver',
  program: 'kube-apiserver',
  versionArguments: ['--version'],
  versionPattern: /Kubernetes v(\d+\.\d+\.\d+)/u,
  isRight: (found) => found.startsWith(`${major}.${minor}.`),
  folder: `kube-apiserver-${version}`,
  file: 'kube-apiserver',
  effort: `${version}, built with Go in 3 to 10 minutes on two cores`,
  remedy: `${goIsNeeded}, or put a kube-apiserver ${major}.${minor} on the PATH.`,
  fill,
});

async function fill(folder: string, { environment, progress }: PartHost): Promise<void> {
  // Without cgo no C compiler is needed; a workspace of the machine's must not join in.
  const limits = { environment: { ...environment, CGO_ENABLED: '0', GOWORK: 'off' }, folder: moduleFolder };
  await assertGo(limits);
  const start = performance.now();
  let packages = 0;
  const tell = setInterval(() => {
    const seconds = Math.round((performance.now() - start) / 1000);
    progress(`kube-apiserver: ${packages} of about 1,750 packages built after ${seconds} s …`);
  }, tellEveryMs);
  try {
    const args = ['build', '-v', '-mod=readonly', '-buildvcs=false', '-ldflags', linkerFlags(), '-o', folder, '.'];
    await runOrThrow('go', args, {
      ...limits,
      timeoutMs: 45 * minute,
      onOutput: (piece) => {
        packages += piece.split('\n').filter((line) => line !== '' && !line.startsWith('go: ')).length;
      },
    });
  } finally {
    clearInterval(tell);
  }
}

async function assertGo(limits: Omit<Parameters<typeof runCommand>[2], 'timeoutMs'>): Promise<void> {
  // A Go that fetches a newer one for a module does so now.
  const { code, output } = await runCommand('go', ['version'], { ...limits, timeoutMs: 5 * minute });
  if (code === undefined) throw new Error('there is no go on the PATH');
  const found = /go version go(\d+\.\d+(?:\.\d+)?)/u.exec(output)?.[1];
  if (!isAtLeast(found, neededGo)) throw new Error(`the Go of the PATH is ${found ?? 'of no version that it tells'}`);
}

/** Helm reads the version of the cluster before it installs a chart, and a build without these has none. */
function linkerFlags(): string {
  const stamp = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor };
  const settings = Object.entries(stamp).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-s', '-w', ...settings].join(' ');
}

function wordOf(pattern: RegExp): string {
  const found = pattern.exec(moduleText)?.[1];
  if (found === undefined) throw new Error(`test/tools/kube-apiserver/go.mod has no line ${pattern.source}`);
  return found;
}

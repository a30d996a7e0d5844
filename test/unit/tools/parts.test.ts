import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Environment } from '../../../src/dev/install-in-cache.ts';
import { egctlPart } from '../../tools/parts/egctl.ts';
import { etcdPart } from '../../tools/parts/etcd.ts';
import { ghzPart } from '../../tools/parts/ghz.ts';
import { grpcurlPart } from '../../tools/parts/grpcurl.ts';
import { h2loadPart } from '../../tools/parts/h2load.ts';
import { h2specPart } from '../../tools/parts/h2spec.ts';
import { helm3Part } from '../../tools/parts/helm3.ts';
import { istioApiPart } from '../../tools/parts/istio-api.ts';
import { keycloakPart } from '../../tools/parts/keycloak.ts';
import { kubeApiserverPart } from '../../tools/parts/kube-apiserver.ts';
import { helm4Part, kubectlPart } from '../../tools/parts/kubectl-layer.ts';
import type { Part } from '../../tools/parts/part.ts';
import { redisPart } from '../../tools/parts/redis.ts';

let folder: string;
let environment: Environment;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-unit-'));
  environment = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache') };
  lines = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program of the PATH, which holds nothing else, so that nothing of this machine's is found; as a script of sh. */
const program = async (name: string, script: string): Promise<string> => {
  const path = join(folder, 'bin', name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`);
  await chmod(path, 0o755);
  return path;
};
const bring = (part: Part): Promise<string> => part.bring(environment, (line) => lines.push(line));
const cache = (): string => join(folder, 'cache', 'portcullis');
/** Lines of sh that write a program which tells the version. */
const writes = (path: string, told: string): string =>
  `mkdir -p "$(dirname "${path}")"; printf '#!/bin/sh\\necho "${told}"\\n' > "${path}"; chmod +x "${path}"`;

describe('a part', () => {
  it.each<[string, Part, string, string, string]>([
    ['etcd', etcdPart, 'etcd', 'etcd Version: 3.5.16', 'etcd Version: 3.3.25'],
    ['Redis', redisPart, 'redis-server', 'Redis server v=7.0.15 sha=0', 'Redis server v=6.0.16 sha=0'],
    ['Valkey', redisPart, 'redis-server', 'Valkey server v=8.1.0 sha=0', 'Other server v=8.1.0'],
    ['kubectl', kubectlPart, 'kubectl', 'Client Version: v1.35.0', 'Client Version: v1.33.9'],
    ['Helm 4', helm4Part, 'helm', 'v4.2.0', 'v3.19.0'],
    ['Helm 3', helm3Part, 'helm', 'v3.19.0+g1234', 'v4.2.0'],
    ['kube-apiserver', kubeApiserverPart, 'kube-apiserver', 'Kubernetes v1.36.1', 'Kubernetes v1.37.0'],
    ['h2spec', h2specPart, 'h2spec', 'Version: 2.2.1 (0)', 'Version: 2.0.0 (0)'],
    ['h2load', h2loadPart, 'h2load', 'h2load nghttp2/1.62.1', 'h2load nghttp2/1.40.0'],
    ['grpcurl', grpcurlPart, 'grpcurl', 'grpcurl v1.9.9', 'grpcurl v0.9.3'],
    ['ghz', ghzPart, 'ghz', 'v0.121.7', 'v0.120.0'],
    ['egctl', egctlPart, 'egctl', 'Envoy Gateway: v1.9.4', 'Envoy Gateway: v1.8.2'],
  ])(
    '%s is taken from the PATH where its version is right, and only there',
    async (_name, part, name, right, wrong) => {
      const path = await program(name, `echo "${right}"`);
      const found = [await part.find(environment), await bring(part), lines];
      await program(name, `echo "${wrong}"`);
      expect([found, await part.find(environment)]).toEqual([[path, path, []], undefined]);
    },
  );
});

describe('etcd', () => {
  const apt = `case "$*" in *update) [ -z "$FAIL" ] || { echo "E: no index"; exit 100; } ;; *download*) touch etcd-server_3.4_amd64.deb ;; esac`;
  const dpkg = (told: string): string => writes('$3/usr/bin/etcd', told);

  it('is unpacked from Debian’s package, without its index and archive', async () => {
    await program('apt-get', apt);
    await program('dpkg-deb', dpkg('etcd Version: 3.4.23'));
    const path = await bring(etcdPart);
    expect([path, await readdir(join(cache(), 'etcd-3'))]).toEqual([
      join(cache(), 'etcd-3', 'usr', 'bin', 'etcd'),
      ['usr'],
    ]);
    expect(lines).toEqual([
      expect.stringMatching(/^Bringing etcd \(8 MB .*, once, into /u),
      'etcd comes from etcd-server_3.4_amd64.deb.',
    ]);
    expect([await bring(etcdPart), lines.length]).toEqual([path, 2]);
  });

  it.each<[string, string, string, RegExp]>([
    [
      'there is no index',
      `FAIL=1\n${apt}`,
      'etcd Version: 3.4.23',
      /^etcd is not to be had here: apt-get says: E: no index\. Put an/u,
    ],
    [
      'the package holds an older one',
      apt,
      'etcd Version: 3.2.1',
      /what was brought is not right \(3\.2\.1\)\. Put an etcd 3\.4/u,
    ],
  ])('is refused with the reason and the remedy where %s', async (_title, script, told, reason) => {
    await program('apt-get', script);
    await program('dpkg-deb', dpkg(told));
    await expect(bring(etcdPart)).rejects.toThrow(reason);
    expect(await readdir(cache())).toEqual([]);
  });
});

it.each<[string, Part, readonly string[], string, string]>([
  [
    'Redis',
    redisPart,
    ['redis-server', 'redis-tools', 'libatomic1', 'libjemalloc2', 'liblzf1'],
    'redis-7',
    'Redis server v=7.0.15',
  ],
  [
    'h2load',
    h2loadPart,
    ['nghttp2-client', 'libnghttp2-14', 'libev4', 'libjemalloc2'],
    'h2load-1',
    'h2load nghttp2/1.52.0',
  ],
])(
  '%s is unpacked from Debian’s packages, with the libraries that it needs and a starter that finds them',
  async (_name, part, packages, cached, told) => {
    const name = part === redisPart ? 'redis-server' : 'h2load';
    await program(
      'apt-get',
      `case "$*" in *download*) for p in ${packages.join(' ')}; do touch "\${p}_1_amd64.deb"; done ;; esac`,
    );
    const binary = `$3/usr/bin/${name}`;
    await program(
      'dpkg-deb',
      `mkdir -p "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu"
printf '#!/bin/sh\\necho "${told} from $LD_LIBRARY_PATH"\\n' > "${binary}"; chmod +x "${binary}"`,
    );
    const path = await bring(part);
    expect([path, await readdir(join(cache(), cached))]).toEqual([join(cache(), cached, 'bin', name), ['bin', 'usr']]);
    expect(await readFile(path, 'utf8')).toContain(`exec "$here/usr/bin/${name}" "$@"`);
  },
);

it('kubectl and Helm 4 are refused where npm brings another package than the pinned one', async () => {
  await program('npm', 'echo evil > package.tgz');
  for (const part of [kubectlPart, helm4Part]) {
    await expect(bring(part)).rejects.toThrow(
      new RegExp(`^${part.name} is not to be had here: @aws-cdk/.* is not the package that was pinned\\. Put a `, 'u'),
    );
  }
  expect(await readdir(cache())).toEqual([]);
});

it('Helm 3 is asked of pip with its digest', async () => {
  await program(
    'python3',
    `while [ $# -gt 0 ]; do [ "$1" = --target ] && target=$2; shift; done
grep -q -- --hash=sha256: "$target/requirements.txt" || exit 3
${writes('$target/bin/helm', 'v3.17.3')}`,
  );
  expect(await bring(helm3Part)).toBe(join(cache(), 'helm-3.17.3.post1', 'bin', 'helm'));
});

describe('kube-apiserver', () => {
  const go = (version: string, build: string): string => `case $1 in
version) echo "go version go${version} linux/amd64" ;;
build) while [ "$1" != -o ]; do [ "$1" = -ldflags ] && echo "$2" > "${folder}/flags"; shift; done; target=$2
echo "$CGO_ENABLED $GOWORK" > "${folder}/environment"
${build} ;;
esac`;

  it('is built with its version, without a C compiler or a workspace', async () => {
    await program('go', go('1.26.0', writes('$target/kube-apiserver', 'Kubernetes v1.36.3')));
    const path = await bring(kubeApiserverPart);
    expect([existsSync(path), await readFile(join(folder, 'environment'), 'utf8')]).toEqual([true, '0 off\n']);
    const [, version, major, minor] =
      / -X \S+gitVersion=(\S+) -X \S+gitMajor=(\d+) -X \S+gitMinor=(\d+)$/u.exec(
        (await readFile(join(folder, 'flags'), 'utf8')).trim(),
      ) ?? [];
    expect([path, version, major, minor]).toEqual([
      join(cache(), `kube-apiserver-${version?.slice(1)}`, 'kube-apiserver'),
      expect.stringMatching(/^v1\.36\.\d+$/u),
      '1',
      '36',
    ]);
    expect(lines).toEqual([
      expect.stringMatching(/^Bringing kube-apiserver \(1\.36\.\d+, built with Go in .* once, into /u),
    ]);
  });

  it('and egctl are built in the same way, each from the package that its module pins', async () => {
    await program('go', go('1.26.9', writes('$target/egctl', 'Envoy Gateway: v1.9.1')));
    expect(await bring(egctlPart)).toMatch(/egctl-1\.9\.\d+\/egctl$/u);
    expect(await readFile(join(folder, 'flags'), 'utf8')).toMatch(
      /^-s -w -X github\.com\/envoyproxy\/gateway\/internal\/cmd\/version\.envoyGatewayVersion=v1\.9\.\d+$/mu,
    );
    expect(lines).toEqual([expect.stringMatching(/^Bringing egctl \(1\.9\.\d+, built with Go in .* once, into /u)]);
  });

  it.each<[string, string | undefined, RegExp]>([
    ['there is no Go', undefined, /there is no go on the PATH\. Install Go 1\.26\.0 or newer/u],
    ['Go is too old', goThat('1.25.9'), /the Go of the PATH is 1\.25\.9\. Install Go 1\.26\.0 or newer/u],
    ['the build fails', goThat('1.26.1', 'echo "proxy: 403" >&2; exit 1'), /go says: proxy: 403\. Install Go/u],
  ])('is refused with the reason and the remedy where %s', async (_title, script, reason) => {
    if (script !== undefined) await program('go', script);
    await expect(bring(kubeApiserverPart)).rejects.toThrow(reason);
    expect(await readdir(cache())).toEqual([]);
  });
});

describe('Istio’s definitions', () => {
  const files = ['kubernetes/customresourcedefinitions.gen.yaml', 'mesh/v1alpha1/config.proto'];

  it('are files of the module that go.sum pins, once', async () => {
    await program(
      'go',
      `[ "$GOWORK" = off ] && [ -f go.sum ] || exit 3
mkdir -p "${folder}/module/kubernetes" "${folder}/module/mesh/v1alpha1"
for file in ${files.join(' ')}; do echo it > "${folder}/module/$file"; done
echo '{"Dir": "${folder}/module"}'`,
    );
    const path = await bring(istioApiPart);
    expect(await Promise.all(files.map((file) => readFile(join(path, file), 'utf8')))).toEqual(['it\n', 'it\n']);
    expect([await istioApiPart.find(environment), await bring(istioApiPart), lines]).toEqual([
      path,
      path,
      [expect.stringMatching(/^Bringing Istio's API definitions \(1\.31\.\d+, 1 MB, once, into /u)],
    ]);
  });

  it('are refused with the reason and the remedy where Go cannot bring them', async () => {
    await program('go', 'echo "checksum mismatch" >&2; exit 1');
    await expect(bring(istioApiPart)).rejects.toThrow(
      /not to be had here: go says: checksum mismatch\. Install Go 1\.24/u,
    );
    expect([await readdir(cache()), await istioApiPart.find(environment)]).toEqual([[], undefined]);
  });
});

describe('Keycloak', () => {
  const python = 'mkdir -p "$5/keycloak-26.4.0/bin"; echo > "$5/keycloak-26.4.0/bin/kc.sh"';
  /** Lines of sh that write an archive to the folder which the last argument names. */
  const maven =
    'for last; do :; done; echo "not the archive" > "${last#-DoutputDirectory=}/keycloak-quarkus-dist-26.4.0.zip"';

  it.each<[string, string | undefined, RegExp]>([
    ['there is no Maven', undefined, /mvn could not be run.*Install Java 17 or newer, Maven and Python 3/u],
    ['Maven cannot bring it', 'echo "no repository" >&2; exit 1', /mvn says: no repository\. Install Java 17/u],
    ['what comes is something else', maven, /keycloak-quarkus-dist:26\.4\.0:zip is not the archive that was pinned/u],
  ])('is refused with the reason and the remedy where %s', async (_title, script, reason) => {
    if (script !== undefined) await program('mvn', script);
    await program('python3', python);
    await expect(bring(keycloakPart)).rejects.toThrow(reason);
    expect([await readdir(cache()), await keycloakPart.find(environment)]).toEqual([[], undefined]);
  });

  it('is taken from the cache where it was built', async () => {
    const home = join(cache(), 'keycloak-26.4.0');
    await mkdir(join(home, 'lib', 'quarkus'), { recursive: true });
    expect(await keycloakPart.find(environment)).toBeUndefined();
    await writeFile(join(home, 'lib', 'quarkus', 'generated-bytecode.jar'), '');
    expect([await keycloakPart.find(environment), await bring(keycloakPart), lines]).toEqual([home, home, []]);
  });
});

/** A Go that tells its version and builds so. */
function goThat(version: string, build = 'true'): string {
  return `case $1 in version) echo "go version go${version} linux/amd64" ;; build) ${build} ;; esac`;
}

import { buildGoProgram } from './build-go-program.ts';
import { createPart } from './create-part.ts';
import { readGoModule } from './read-go-module.ts';

const goModule = readGoModule('kube-apiserver', 'k8s.io/kubernetes');
const { version, neededGo } = goModule;
const [major = '', minor = ''] = version.split('.');
const goIsNeeded = `Install Go ${neededGo} or newer and let it reach a module proxy`;
const stampOf = 'k8s.io/component-base/version';

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
  fill: (folder, host) => buildGoProgram(program, folder, host),
});

const program = {
  name: 'kube-apiserver',
  module: goModule,
  package: '.',
  // Helm reads the version of the cluster before it installs a chart, and a build without these has none.
  stamp: {
    [`${stampOf}.gitVersion`]: `v${version}`,
    [`${stampOf}.gitMajor`]: major,
    [`${stampOf}.gitMinor`]: minor,
  },
  packages: '1,750',
};

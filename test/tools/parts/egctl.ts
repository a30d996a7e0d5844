import { buildGoProgram } from './build-go-program.ts';
import { createPart } from './create-part.ts';
import { readGoModule } from './read-go-module.ts';

const goModule = readGoModule('egctl', 'github.com/envoyproxy/gateway');
const { version, neededGo } = goModule;
const minor = version.split('.').slice(0, 2).join('.');

/** Envoy Gateway's own translator: what it makes of a SecurityPolicy is what the product would run. */
export const egctlPart = createPart({
  name: 'egctl',
  program: 'egctl',
  versionArguments: ['version', '--remote=false'],
  versionPattern: /v(\d+\.\d+\.\d+)/u,
  isRight: (found) => found.startsWith(`${minor}.`),
  folder: `egctl-${version}`,
  file: 'egctl',
  effort: `${version}, built with Go in 5 to 10 minutes on two cores`,
  remedy: `Install Go ${neededGo} or newer and let it reach a module proxy, or put an egctl ${minor} on the PATH.`,
  fill: (folder, host) => buildGoProgram(program, folder, host),
});

const program = {
  name: 'egctl',
  module: goModule,
  package: 'github.com/envoyproxy/gateway/cmd/egctl',
  stamp: { 'github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion': `v${version}` },
  packages: '2,250',
};

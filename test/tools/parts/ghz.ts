import { buildGoProgram } from './build-go-program.ts';
import { createPart } from './create-part.ts';
import { readGoModule } from './read-go-module.ts';

const goModule = readGoModule('ghz', 'github.com/bojand/ghz');
const { version, neededGo } = goModule;
const minor = version.split('.').slice(0, 2).join('.');

/** A client on grpc-go that makes many calls at once and counts how they ended. */
export const ghzPart = createPart({
  name: 'ghz',
  program: 'ghz',
  versionArguments: ['--version'],
  versionPattern: /^v?(\d+\.\d+\.\d+)/mu,
  isRight: (found) => found.startsWith(`${minor}.`),
  folder: `ghz-${version}`,
  file: 'ghz',
  effort: `${version}, built with Go in a minute`,
  remedy: `Install Go ${neededGo} or newer and let it reach a module proxy, or put a ghz ${minor} on the PATH.`,
  fill: (folder, host) => buildGoProgram(program, folder, host),
});

const program = {
  name: 'ghz',
  module: goModule,
  package: 'github.com/bojand/ghz/cmd/ghz',
  stamp: { 'main.version': version },
  packages: '450',
};

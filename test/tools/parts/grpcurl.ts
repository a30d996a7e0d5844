import { buildGoProgram } from './build-go-program.ts';
import { createPart } from './create-part.ts';
import { readGoModule } from './read-go-module.ts';

const goModule = readGoModule('grpcurl', 'github.com/fullstorydev/grpcurl');
const { version, neededGo } = goModule;
const major = version.split('.')[0];

/** A client on grpc-go that makes one call and tells all of it. */
export const grpcurlPart = createPart({
  name: 'grpcurl',
  program: 'grpcurl',
  versionArguments: ['-version'],
  versionPattern: /^\S*grpcurl v?(\d+\.\d+\.\d+)/mu,
  isRight: (found) => found.startsWith(`${major}.`),
  folder: `grpcurl-${version}`,
  file: 'grpcurl',
  effort: `${version}, built with Go in a minute`,
  remedy: `Install Go ${neededGo} or newer and let it reach a module proxy, or put a grpcurl ${major} on the PATH.`,
  fill: (folder, host) => buildGoProgram(program, folder, host),
});

const program = {
  name: 'grpcurl',
  module: goModule,
  package: 'github.com/fullstorydev/grpcurl/cmd/grpcurl',
  stamp: { 'main.version': version },
  packages: '400',
};
